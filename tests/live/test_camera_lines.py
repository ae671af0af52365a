"""Lines of the configuration for cameras and relays: what is none is refused at the start."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.config import load

RTSP = {"room": "opening:*", "name": "hall-1", "url": "rtsp://u:secret-word@10.0.0.9/s"}
WHIP = {"room": "opening:jz-1", "name": "obs", "token": "a token of twenty characters"}


def media(tmp_path: Path, **keys: Any) -> Any:
    path = tmp_path / "kaibiao.toml"
    rows = []
    for key, value in keys.items():
        if isinstance(value, list):
            inner = ", ".join(
                "{" + ", ".join(f"{k} = {v!r}" for k, v in one.items()) + "}"
                if isinstance(one, dict)
                else repr(one)
                for one in value
            )
            rows.append(f"{key} = [{inner}]")
        else:
            rows.append(f"{key} = {value!r}")
    path.write_text("[media]\n" + "\n".join(rows).replace("'", '"'))
    return load(path, {}).media


def test_a_hall_has_cameras_of_both_kinds_and_a_relay(tmp_path: Path) -> None:
    found = media(
        tmp_path, rtsp=[RTSP], whip=[WHIP], turn_urls=["turn:x:3478"], turn_secret="s" * 16
    )
    assert (found.rtsp[0].name, found.whip[0].token) == ("hall-1", WHIP["token"])


@pytest.mark.parametrize(
    "keys",
    [
        {"rtsp": [RTSP | {"url": "http://10.0.0.9/"}]},
        {"rtsp": [RTSP | {"url": "rtsp://u:secret-word@10.0.0.9:99999/"}]},
        {"rtsp": [RTSP | {"room": "tender:x"}]},
        {"rtsp": [RTSP | {"name": "Hall 1"}]},
        {"rtsp": [RTSP | {"pan": "left"}]},
        {"rtsp": [RTSP, RTSP]},
        {"rtsp": [RTSP], "whip": [WHIP | {"room": RTSP["room"], "name": "hall-1"}]},
        {"whip": [WHIP | {"token": "short"}]},
        {"turn_urls": ["turn:x:3478"]},
        {"turn_urls": ["http://x"], "turn_secret": "s" * 16},
    ],
    ids=str,
)
def test_a_line_that_is_none_is_refused_without_its_password(
    tmp_path: Path, keys: dict[str, Any]
) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        media(tmp_path, **keys)
    assert "secret-word" not in str(refused.value)

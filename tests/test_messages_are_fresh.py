"""The browser's wire types are those of the server: messages.ts is what its generator writes."""

import importlib.util
from pathlib import Path
from types import ModuleType

CLIENT = Path(__file__).parents[1] / "web_client"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_messages", CLIENT / "tools" / "make_messages.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_messages_ts_is_what_the_schema_says() -> None:
    written = (CLIENT / "src" / "messages.ts").read_text(encoding="utf-8")
    assert written == generator().messages(), "run: python web_client/tools/make_messages.py"


def test_no_sealed_event_reaches_the_browser() -> None:
    text = generator().messages()
    for secret in ("UnlockReceived", "ReleaseReceived", "HalvesFound", "ClosedListTaken"):
        assert f"export interface {secret} " not in text

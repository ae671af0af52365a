"""Index, closed list, frozen list and read-out that do not fit; members without ground."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import decode, encode
from crypto.hashes import blake2b_512, sha256
from crypto.verifier import verify
from tests.verifier.bundle_file import signed, write
from tests.verifier.bundle_maker import Opening
from tests.verifier.judging import assert_named, codes, judged
from tests.verifier.tender_maker import (
    RECEIPT_KEY,
)

Members = dict[str, bytes]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (f"unlock/{'ab' * 32}.bin", "unlock.extra"),
        (f"card/{'ab' * 32}.bin", "unlock.extra"),
        (f"release/{'ab' * 32}.bin", "release.extra"),
        (f"self/{'ab' * 32}.bin", "release.extra"),
        (f"forms/{'ab' * 32}.kbc", "form.extra"),
        ("frozen-1-2.json", "frozen.extra"),
        ("readout-1-2.json", "frozen.extra"),
        ("log/window-end-1-2.txt", "checkpoint.form"),
    ],
)
def test_a_member_without_ground_is_named(
    name: str, code: str, members: Members, tmp_path: Path
) -> None:
    assert_named(judged(members | {name: b"x"}, tmp_path), code, name)


@pytest.mark.parametrize("name", ["closed.json", "frozen.json", "readout.json"])
def test_lists_in_another_spelling_are_not_canonical(
    name: str, members: Members, tmp_path: Path
) -> None:
    changed = members[name].replace(b'":', b'": ', 1)
    group = name.split(".")[0]
    assert_named(judged(members | {name: changed}, tmp_path), f"{group}.canonical", name)


def relogged(opening: Opening, name: str, entry_type: int, raw: bytes) -> Members:
    """The bundle with another list that the log names as well."""

    class Relogged(type(opening)):  # type: ignore[misc]
        def entry(self, entry_type_: int, *, public: bool = True, **members: Any) -> Any:
            if entry_type_ == entry_type:
                members |= {"sha256": sha256(raw).hex(), "size": len(raw)}
            return super().entry(entry_type_, public=public, **members)

    return Relogged().run().members() | {name: raw}


@pytest.mark.parametrize(("name", "entry_type"), [("frozen.json", 19), ("readout.json", 20)])
def test_a_list_of_another_window_is_named(
    name: str, entry_type: int, honest: Opening, members: Members, tmp_path: Path
) -> None:
    value = decode(members[name], size_max=1 << 20, depth_max=8)
    raw = encode(value | {"nonce": "ab" * 32})
    report = judged(relogged(honest, name, entry_type, raw), tmp_path)
    assert_named(report, f"{name.split('.')[0]}.nonce", name)


def test_true_is_not_one_in_the_read_out(tmp_path: Path) -> None:
    class Lots(Opening):
        def read_out(self) -> None:
            super().read_out()
            raw = self.files["readout.json"].replace(b'"lot":1', b'"lot":true')
            self.files["readout.json"] = raw

    report = judged(Lots().run().members(), tmp_path)
    assert_named(report, "readout.row", "readout.json")


def test_lists_out_of_order_are_named(honest: Opening, members: Members, tmp_path: Path) -> None:
    closed = decode(members["closed.json"], size_max=1 << 20, depth_max=8)
    raw = encode({"submits": closed["submits"][::-1]})
    assert_named(judged(members | {"closed.json": raw}, tmp_path), "closed.order", "closed.json")
    frozen = decode(members["frozen.json"], size_max=1 << 20, depth_max=8)
    raw = encode(frozen | {"bids": frozen["bids"][::-1]})
    report = judged(relogged(honest, "frozen.json", 19, raw), tmp_path)
    assert codes(report) == {"frozen.order"}


def reindexed(members: Members, change: Callable[[Any], Any]) -> Members:
    """An index that says something else, signed by the host's receipt key."""
    index = change(decode(signed(members)["index.json"], size_max=1 << 20, depth_max=8))
    raw = encode(index)
    signature = RECEIPT_KEY.sign(b"KBID1 index\0" + blake2b_512(raw))
    return members | {"index.json": raw, "index.sig": signature}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda index: index | {"members": index["members"][::-1]}, "index.order"),
        (lambda index: index | {"members": index["members"][1:]}, "index.unlisted"),
        (lambda index: index | {"tender_id": "ab" * 32}, "index.tender"),
        (
            lambda index: (
                index | {"members": [index["members"][0] | {"size": 7}, *index["members"][1:]]}
            ),
            "index.size",
        ),
        (
            lambda index: (
                index | {"members": [*index["members"], index["members"][-1] | {"name": "z"}]}
            ),
            "index.absent",
        ),
    ],
)
def test_an_index_that_does_not_fit_is_named(
    change: Callable[[Any], Any], code: str, members: Members, tmp_path: Path
) -> None:
    file = write(reindexed(members, change), tmp_path / "opening.zip")
    assert_named(verify(file), code)

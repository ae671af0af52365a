"""Writes the vector files of the sealing format; with --check only says whether they are fresh.

python tests/vectors/make_kbid1.py [--check]
"""

import json
import sys
from pathlib import Path

from ed25519_cases import ed25519_json
from kbid1_good import good_json
from kbid1_hostile import hostile_json

from crypto.suites import NACL_1, ODD_SIZES, get_suite

HERE = Path(__file__).parent


def documents() -> dict[str, dict[str, object]]:
    nacl_1 = get_suite(NACL_1)
    return {
        "kbid1.json": good_json(nacl_1),
        "suite-ff01.json": good_json(get_suite(ODD_SIZES, allow_test=True)),
        "kbid1-hostile.json": hostile_json(nacl_1),
        "ed25519.json": ed25519_json(),
    }


def main(arguments: list[str]) -> int:
    stale: list[str] = []
    for name, document in documents().items():
        text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        path = HERE / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    print("fresh" if not stale else f"{'stale' if '--check' in arguments else 'written'}: {stale}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

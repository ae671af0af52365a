"""Limits and kinds of value that many objects share (通用类型).

Invariant: a limit stands here once. Hashes, public keys and signatures have the same sizes in every
suite, because manifest, log and journal name things by them; all other sizes belong to the suite.
"""

from crypto.canonical import INTEGER_MAX
from crypto.schema import Ascii, Hex, Int, Obj, OneOf, Text

MANIFEST_SIZE_MAX = 262_144
FORM_SIZE_MAX = 60_000
FORM_PT_LEN_MAX = 65_536
BODY_BLOCK = 65_536
BIDS_MAX = 65_536  # of one window
TRUSTEES_MAX = 9  # of one envelope (C6)
DAY_MS = 86_400_000

STATES = ("opened", "locked", "unrecoverable", "damaged", "malformed")  # C3
GROUNDS = ("revoked", "excused", "malformed")  # what a bid that does not open ends as

MS = Int(0, INTEGER_MAX)
U32 = Int(0, 2**32 - 1)
ENVELOPE = Int(1, 2**32 - 1)
COUNT = Int(0, INTEGER_MAX)
POSITIVE = Int(1, INTEGER_MAX)
HASH = Hex(32, 32)
KEY = Hex(32, 32)
SIGNATURE = Hex(64, 64)
NAME = Text(1, 200)
REASON = Text(1, 500)
CODE = Ascii("[0-9A-Z]{18}")
NOTE_NAME = Ascii("[!-*,-~]{1,128}")  # a name in a signed note: no blank, no plus
FORMAT = OneOf((1,))
STREAM = Ascii("registry|(tender|opening|evaluation):[a-z0-9-]{1,64}")
AUDIENCE = Ascii("hall|staff|sealed|party:[0-9A-Za-z-]{1,64}")

PARTY = Obj(
    "Party",
    "An organisation (单位)",
    {"code": (CODE, "unified social credit code"), "name": (NAME, "")},
)

"""All JSON objects of the project and how to read them (数据格式).

Invariant: JSON from outside is read through ``decode_document`` or a module that does so (manifest,
form, entries, receipts). Bytes that are not their own canonical form, are too long or too deep, or
have not exactly the members of the schema, never get further. What a schema cannot say (order,
sums, signatures) is checked by the module named after the object.

The schemas are in ``crypto.objects``; docs/formats and web_client/src/formats.ts are printed from
them by ``python -m crypto.formats --docs --typescript``. Norm: formats.md.
"""

import sys
from dataclasses import dataclass

from crypto.canonical import Json, decode, encode
from crypto.errors import Rejected
from crypto.objects import bundle, log, tender
from crypto.objects.common import FORM_SIZE_MAX, MANIFEST_SIZE_MAX
from crypto.schema import Items, Schema, check


@dataclass(frozen=True)
class Document:
    """A JSON text that stands alone: its schema, its largest size in bytes, its depth."""

    schema: Schema
    size_max: int
    depth_max: int


DOCUMENTS: dict[str, Document] = {
    "Manifest": Document(tender.MANIFEST, MANIFEST_SIZE_MAX, 8),
    "ManifestSignatures": Document(tender.MANIFEST_SIGNATURES, 4096, 3),
    "Form": Document(tender.FORM, FORM_SIZE_MAX, 4),
    "Proof": Document(log.PROOF, 32_768, 2),
    "Consistencies": Document(Items(log.CONSISTENCY, 0, 4096), 2**20, 3),
    "Receipt": Document(log.RECEIPT, 2**22 + 2**17, 3),
    "Stub": Document(log.STUB, 1024, 1),
    "JournalRow": Document(log.JOURNAL_ROW, 2**27 + 4096, 2),
    "BundleIndex": Document(bundle.INDEX, 2**27, 3),
    "ClosedList": Document(bundle.CLOSED, 2**23, 2),
    "Frozen": Document(bundle.FROZEN, 2**24, 3),
    "ReadOut": Document(bundle.READ_OUT, 2**28, 5),
    "KeyFile": Document(bundle.KEY_FILE, 16_384, 2),
}


def decode_document(name: str, raw: bytes) -> Json:
    """The value of a document read from outside; Rejected with a code of canonical or schema."""
    document = DOCUMENTS[name]
    value = decode(raw, size_max=document.size_max, depth_max=document.depth_max)
    check(document.schema, value)
    return value


def encode_document(name: str, value: Json) -> bytes:
    """Its canonical bytes; the same refusals, so that nothing is written that nobody would read."""
    document = DOCUMENTS[name]
    check(document.schema, value)
    raw = encode(value)
    if len(raw) > document.size_max:
        raise Rejected("json.size", name)
    return raw


def main(arguments: list[str]) -> int:
    """Print documentation and types into the tree; with --check only say what is not fresh."""
    from crypto.format_docs import write_generated  # a tool of the tree, not of the product

    unknown = set(arguments) - {"--docs", "--typescript", "--check"}
    if unknown or not arguments:
        print("usage: python -m crypto.formats [--docs] [--typescript] [--check]", file=sys.stderr)
        return 2
    stale = write_generated(
        docs="--docs" in arguments,
        types="--typescript" in arguments,
        check_only="--check" in arguments,
    )
    for path in stale:
        print(path)
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The one refusal of this package: bytes from outside that are not what the format says.

Invariant: whatever hostile bytes come in, a function of `crypto` either returns a value or raises
`Rejected` with a stable code of the form `noun.reason`. Any other exception means that we are
wrong.
"""


class Rejected(Exception):
    """Bytes were refused. `code` is stable and translated by the client; `detail` is for people
    and logs.

    `detail` never carries a secret: no half, share, seed or plaintext is ever put into it.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail

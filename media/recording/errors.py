"""Refusals and faults of recordings (录像的拒绝): stable codes, no stack traces for strangers.

Invariant: what somebody sent or asked for ends here; an ``AssertionError`` means we are wrong.
"""


class RecordingRefused(Exception):
    """Not possible now or not well formed; ``code`` is ``noun.reason``."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail

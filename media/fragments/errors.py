"""Refusals of the fragment path (片段拒绝): stable codes for whoever asked."""


class FragmentRefused(Exception):
    """Not there or not well asked; ``code`` is ``noun.reason``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

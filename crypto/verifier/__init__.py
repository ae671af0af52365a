"""The verifier (开标包验证): anybody can check an opening offline with one command.

Invariant: nothing here imports anything of the project or from outside the standard library, so
that this folder alone, zipped, is `kaibiao-verify.pyz`.

Two layouts, one spelling: in the project the code is `crypto.verifier.kaibiao_verify`, in the zip
it is the top-level package `kaibiao_verify`. It is a package of its own in both, so every import
inside it is an ordinary relative one, and only `command` has to know where it is.
"""

from pathlib import Path

from crypto.verifier.kaibiao_verify.report import Report
from crypto.verifier.kaibiao_verify.verification import verify

__all__ = ["Report", "verify"]

# `python -m crypto.verifier` needs a __main__ module, but zipapp refuses a folder that has one and
# an entry point of its own. So it stands beside, in a folder that only the project looks into.
__path__.append(str(Path(__file__).parent / "in_project"))

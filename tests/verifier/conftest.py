"""Shared by the verifier's tests: one honest opening, made once."""

import pytest

from tests.verifier.bundle_maker import Opening


@pytest.fixture(scope="session")
def honest() -> Opening:
    """Three bidders: one opened, one never unlocked, one malformed; all three trustees released."""
    return Opening().run()


@pytest.fixture
def members(honest: Opening) -> dict[str, bytes]:
    """The honest bundle's members, to be changed by one test."""
    return honest.members()

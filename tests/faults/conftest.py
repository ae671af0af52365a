"""One nursery of halls for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.faults.site_process import Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()

"""One nursery of halls for the large files; and which sizes are played."""

import os
from collections.abc import Iterator

import pytest

from tests.faults.site_process import Nursery

SMALL = {"64 MiB": 64 << 20}
LARGE = {"500 MB": 500_000_000, "2 GiB": 1 << 31}
ASKED = "KAIBIAO_LARGE"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``body_bytes``: the size that sealing and storing take, padding included."""
    if "body_bytes" in metafunc.fixturenames:
        sizes = LARGE if os.environ.get(ASKED) == "1" else SMALL
        metafunc.parametrize("body_bytes", sizes.values(), ids=list(sizes))


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()

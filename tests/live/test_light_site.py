"""What the site's own process is spared."""

import subprocess
import sys

from tests.tree import ROOT

HEAVY = ("aiortc", "aioice", "av", "pylibsrtp")
LOADED = f"import sys, server.app; print([name for name in {HEAVY!r} if name in sys.modules])"


def test_the_sites_process_loads_nothing_of_forwarding():
    ran = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"

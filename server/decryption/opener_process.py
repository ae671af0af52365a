"""The opener's entry (开启进程入口): ``python -m server.decryption.opener_process FD NICE``, by our
site.

Invariant: it ends with its line; signals to the whole site are the site's to answer. What it will
be asked is imported before it answers at all: met by name in the first question, the modules of
halves and forms kept a reveal waiting for 100 ms.
"""

import contextlib
import logging
import signal
import sys
from multiprocessing.connection import Connection
from typing import Final

from server.collector import calm_the_collector
from server.decryption.forms import open_form
from server.decryption.halves import find_one
from server.decryption.opener import serve

ASKED_OF_IT: Final = (find_one, open_form)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    calm_the_collector()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        serve(Connection(int(sys.argv[1])), int(sys.argv[2]))


if __name__ == "__main__":
    main()

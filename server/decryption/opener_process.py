"""The opener's entry (开启进程入口): ``python -m server.decryption.opener_process FD NICE``, by our
site.

Invariant: it ends with its line; signals to the whole site are the site's to answer.
"""

import contextlib
import logging
import signal
import sys
from multiprocessing.connection import Connection

from server.collector import calm_the_collector
from server.decryption.opener import serve


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    calm_the_collector()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        serve(Connection(int(sys.argv[1])), int(sys.argv[2]))


if __name__ == "__main__":
    main()

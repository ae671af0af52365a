"""A moment that epoll wakes up for (闹钟): Linux's timerfd, which Python 3.11 does not offer.

epoll's own timeout is in whole milliseconds, rounded up: who must write every two would have to
look all the time, and take the core that the server needs.
"""

import ctypes
import os
import time

_ABSOLUTE = 1  # TFD_TIMER_ABSTIME
_S = 1_000_000_000

_libc = ctypes.CDLL(None, use_errno=True)


class _Moment(ctypes.Structure):
    """struct itimerspec: again every (never), and when."""

    _fields_ = (
        ("every_s", ctypes.c_long),
        ("every_ns", ctypes.c_long),
        ("at_s", ctypes.c_long),
        ("at_ns", ctypes.c_long),
    )


class Alarm:
    """``fd`` is readable from the moment on that ``set`` was given, until ``clear``."""

    def __init__(self) -> None:
        self.fd = _checked(_libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC))
        self._at_ns = 0

    def set(self, at_ns: int) -> None:
        """``at_ns``: by `time.perf_counter_ns`; a moment that is over is now."""
        if at_ns != self._at_ns:
            self._at_ns = at_ns
            moment = _Moment(0, 0, at_ns // _S, at_ns % _S)
            _checked(_libc.timerfd_settime(self.fd, _ABSOLUTE, ctypes.byref(moment), None))

    def clear(self) -> None:
        """It was heard."""
        os.read(self.fd, 8)

    def close(self) -> None:
        os.close(self.fd)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result

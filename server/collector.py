"""The garbage collector of a process that serves thousands (垃圾回收): kept from long pauses."""

import gc


def calm_the_collector() -> None:
    """What boot made stays for good: a full collection over it would stop the loop for tens of
    ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)

"""Counters of the decryption pool (指标): changed on the loop's thread, read by /metrics.

Nothing here moves before some tender's deadline: until then there is nothing to decrypt.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class PoolMetrics:
    """Since the process began."""

    waiting: int = 0  # tasks handed to the pool and not done, those under way among them
    bodies: int = 0  # large envelopes whose state is known
    body_bytes: int = 0  # plaintext bytes of those that opened
    body_seconds: float = 0.0  # what threads spent on them, those that did not open among them
    slice_seconds: float = 0.0  # what threads and openers spent on halves and forms

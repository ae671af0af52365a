"""What a site says of a camera that it owns (机位配置). Whoever reads it loads no forwarding unit.

Invariant: a password is in no text that is printed of it.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CameraLine:
    """One line of the configuration. ``url`` holds a password and is never printed."""

    room: str
    name: str
    url: str = field(repr=False)

    @property
    def member(self) -> str:
        return f"camera:{self.name}"

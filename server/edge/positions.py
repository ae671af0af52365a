"""What an edge knows of the owner's public channels (已知位置).

Pure. Invariant: a position only moves forward, unless the owner's history is another one.
"""

from dataclasses import dataclass, field

from server.http.edge_client import HeadsTold


@dataclass(slots=True)
class Positions:
    """``boot`` and ``version`` are what to ask the owner with; empty and 0 before it answered."""

    boot: str = ""
    version: int = 0
    epoch: int = 0
    seqs: dict[str, int] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        return bool(self.boot)

    def of(self, room: str) -> tuple[int, int] | None:
        """(epoch, last durable seq) of the room's public channel."""
        seq = self.seqs.get(room)
        return None if seq is None else (self.epoch, seq)

    def take(self, told: HeadsTold) -> None:
        """The owner's newest answer."""
        if told.boot != self.boot or told.epoch != self.epoch:
            self.seqs = {}
        self.boot, self.version, self.epoch = told.boot, told.version, told.epoch
        self.seqs.update(told.heads)

    def moved(self, room: str, epoch: int, seq: int) -> None:
        """An event was heard before the owner's next answer."""
        if epoch == self.epoch and seq > self.seqs.get(room, 0):
            self.seqs[room] = seq

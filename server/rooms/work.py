"""The opening's work: halves found, forms opened, large envelopes decrypted, each as a report
for its room.

Invariant: what waits for the last RELEASE is only what needs it; a form's bytes are read, and held
against ct_root, while the bidders unlock. Halves and forms are shared among the cores, a thread
here and opener processes (decision 0017).
"""

import asyncio
import logging
from functools import partial
from pathlib import Path

from crypto.errors import Rejected
from crypto.header import Header
from crypto.stream import RootHasher
from server.decryption.bodies import SealedBody, Stamp, stamp_of
from server.decryption.forms import SealedForm, open_form
from server.decryption.halves import find_one
from server.decryption.pool import Pool
from server.domain import commands as cmd
from server.domain.due import BidHalves, FindHalves, NameFaults, OpenBodies, OpenForms
from server.domain.opening import Opening
from server.storage.blobs import BlobStore
from server.storage.site_tick import Gathered

READ_AT_ONCE = 64
ASKED_OF_OPENERS = (find_one, open_form, Gathered.build)

log = logging.getLogger("kaibiao.work")


class Worker:
    """Runs `server.domain.due` work on the pool. Form payloads are read before they are needed."""

    def __init__(self, blobs: BlobStore, pool: Pool, opened: Path) -> None:
        self.blobs = blobs
        self.pool = pool
        self._opened = opened
        self._forms: dict[bytes, bytes] = {}
        self._intact: set[bytes] = set()  # those of them whose bytes gave ct_root
        # Files whose bytes gave ct_root at the deadline, by what shows that they were changed.
        self._checked: dict[bytes, Stamp] = {}

    async def gives_root(self, header: Header) -> bool:
        """Reads every byte of a payload again (STORE_CHECK, C3): whether they give ct_root."""
        stamp = stamp_of(self.blobs.path(header.bid_id))
        hasher = RootHasher(header.suite, header.pt_len, header.log2_chunk)
        if await self.blobs.verify(header.bid_id, hasher) != header.ct_root:
            return False
        if stamp is not None:
            self._checked[header.bid_id] = stamp
        return True

    async def is_intact(self, header: Header, *, is_form: bool) -> bool:
        """Whether what would be opened gives ct_root: of a form, the bytes read before."""
        if not is_form:
            return await self.gives_root(header)
        return self._is_intact(header, await self.payload(header.bid_id))

    def _is_intact(self, header: Header, payload: bytes) -> bool:
        """Of a form's bytes; of those that are kept, once: 5 us a form."""
        bid_id = header.bid_id
        if bid_id in self._intact:
            return True
        hasher = RootHasher(header.suite, header.pt_len, header.log2_chunk)
        try:
            hasher.update(payload)
            is_intact = hasher.root() == header.ct_root
        except Rejected:
            return False
        if is_intact and self._forms.get(bid_id) is payload:
            self._intact.add(bid_id)
        return is_intact

    def forget(self, bid_id: bytes) -> None:
        """Other bytes stand there now: they are read and judged anew."""
        self._forms.pop(bid_id, None)
        self._intact.discard(bid_id)
        self._checked.pop(bid_id, None)

    async def preload(self, state: Opening) -> None:
        """Reads the sealed forms of an opening into memory (a few KiB each) and judges them, and
        gets the pool ready for them.
        """
        headers = [
            state.envelopes[b][0].headers[n.envelope]
            for n in state.rules().envelopes
            if n.kind == "form"
            for b in state.counting(n.envelope)
        ]
        self.pool.prepare([*ASKED_OF_OPENERS, *headers])
        missing = [header for header in headers if header.bid_id not in self._forms]
        for k in range(0, len(missing), READ_AT_ONCE):
            part = missing[k : k + READ_AT_ONCE]
            await asyncio.gather(*(self.is_intact(header, is_form=True) for header in part))

    async def payload(self, bid_id: bytes) -> bytes:
        """A form's sealed bytes; empty when the store has lost them or cannot read them (the state
        will say damaged).
        """
        known = self._forms.get(bid_id)
        if known is None:
            try:
                size = await self.blobs.size(bid_id)
                known = await self.blobs.read(bid_id, 0, size) if size else b""
            except OSError:
                log.exception("a sealed form cannot be read: %s", bid_id.hex())
                return b""
            self._forms[bid_id] = known
        return known

    async def find_halves(self, work: FindHalves) -> cmd.ReportHalves:
        items = [(bid, await self.is_intact(bid.header, is_form=True)) for bid in work.bids]
        done = await self.pool.together(partial(find_one, first=_first_subset(work.bids)), items)
        return cmd.ReportHalves(
            envelope=work.envelope,
            releases=work.releases,
            repairs=work.repairs,
            found=[halves.found for halves in done],
            faults=[fault for halves in done for fault in halves.faults],
        )

    async def open_forms(self, state: Opening, work: OpenForms) -> cmd.ReportForms:
        items = [
            SealedForm(
                key=form,
                payload=await self.payload(form.header.bid_id),
                rules=state.rules(),
                bidder_code=state.envelopes[form.header.bid_id][0].org,
            )
            for form in work.forms
        ]
        opened = await self.pool.together(open_form, items)
        return cmd.ReportForms(envelope=work.envelope, forms=opened)

    def target(self, opening_id: str, bid_id: bytes) -> Path:
        """Where the plaintext of a large envelope goes."""
        return self._opened / opening_id / bid_id.hex()

    async def open_bodies(self, opening_id: str, work: OpenBodies) -> list[cmd.ReportBody]:
        items = [
            SealedBody(
                bid=bid,
                source=self.blobs.path(bid.header.bid_id),
                target=self.target(opening_id, bid.header.bid_id),
                checked=self._checked.get(bid.header.bid_id),
            )
            for bid in work.bids
        ]
        states = await asyncio.gather(*(self.pool.open_body(item) for item in items))
        return [
            cmd.ReportBody(
                envelope=item.bid.header.envelope,
                bid_id=item.bid.header.bid_id,
                state=state,
                releases=work.releases,
            )
            for item, state in zip(items, states, strict=True)
        ]

    async def name_faults(self, work: NameFaults) -> cmd.ReportHalves:
        """Large envelopes: nothing is found that was not, but who sent a wrong share is."""
        first = _first_subset(work.bids)
        items = [(bid, True) for bid in work.bids]
        done = await self.pool.map(partial(find_one, first=first), items)
        return cmd.ReportHalves(
            envelope=work.envelope,
            releases=work.releases,
            found=[],
            faults=[fault for halves in done for fault in halves.faults],
        )


def _first_subset(bids: tuple[BidHalves, ...]) -> tuple[int, ...] | None:
    """The subset that most likely works: the first t shares that the first bid has."""
    if not bids:
        return None
    return tuple(sorted(bids[0].shares))[: bids[0].header.t]

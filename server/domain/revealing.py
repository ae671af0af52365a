"""Opening and read-out (开启、唱标): every form is revealed to all at one instant (C1.6, C1.7, C3).

SET_FROZEN names every counting form's state before any plaintext is shown; nothing after
REPLY_END depends on anybody's choice, and nothing after SET_FROZEN changes a state.
"""

from crypto.hashes import sha256
from server.domain import commands as cmd
from server.domain import floor_rules
from server.domain import opening_events as ev
from server.domain.documents import in_parts
from server.domain.due import UNRECOVERABLE
from server.domain.events import Event
from server.domain.model import Context
from server.domain.opening import Opening, Stage
from server.domain.refusals import Refused

OPENED = "opened"
LOCKED = "locked"


def open_all(state: Opening, command: cmd.OpenAll, ctx: Context) -> list[Event]:
    """The host's one button; it chooses nothing."""
    if state.stage is not Stage.OPENING or state.all_opened:
        raise Refused("opening.not_ready")
    return [ev.AllOpened(by="host")]


def form_states(state: Opening, forms: dict[bytes, cmd.FormOpened]) -> dict[bytes, str]:
    """C3 for every counting form: locked, then what the halves said, then what the bytes said."""
    states: dict[bytes, str] = {}
    for bid_id in state.counting(state.form_envelope()):
        found = state.found.get(bid_id)
        if bid_id not in state.halves:
            states[bid_id] = LOCKED
        elif found is None:
            states[bid_id] = UNRECOVERABLE
        else:
            states[bid_id] = found.state or forms[bid_id].state
    return states


def report_forms(state: Opening, command: cmd.ReportForms, ctx: Context) -> list[Event]:
    if state.stage is not Stage.OPENING or not state.all_opened or state.window is None:
        return []  # told again after a restart
    forms = {form.bid_id: form for form in command.forms}
    states = form_states(state, forms)
    nonce = state.window.nonces[command.envelope]
    return [
        *in_parts(ev.SetFrozen(nonce=nonce, frozen=_frozen(forms, states, nonce))),
        *in_parts(_read_out(state, forms, states, nonce)),
    ]


def _frozen(forms: dict[bytes, cmd.FormOpened], states: dict[bytes, str], nonce: bytes) -> bytes:
    """frozen.json, canonical as it stands: names in order, nothing but hexadecimal and states."""
    rows: list[bytes] = []
    for bid_id, found in sorted(states.items()):
        digest = b'"%s"' % sha256(forms[bid_id].form).hex().encode() if found == OPENED else b"null"
        named = bid_id.hex().encode(), digest, found.encode()
        rows.append(b'{"bid_id":"%s","form_sha256":%s,"state":"%s"}' % named)
    return b'{"bids":[%s],"nonce":"%s"}' % (b",".join(rows), nonce.hex().encode())


def _read_out(
    state: Opening, forms: dict[bytes, cmd.FormOpened], states: dict[bytes, str], nonce: bytes
) -> ev.PricesReadOut:
    """readout.json. Each row is the form's own bytes with bid_id put in front.

    That is canonical as it stands ("bid_id" sorts before "bidder"), so what was signed for is read
    out without being encoded again.
    """
    opened = [bid_id for bid_id, s in sorted(states.items()) if s == OPENED]
    rows = [b'{"bid_id":"%s",%s' % (b.hex().encode(), forms[b].form[1:]) for b in opened]
    readout = b'{"format":1,"nonce":"%s","rows":[%s],"tender_id":"%s"}' % (
        nonce.hex().encode(),
        b",".join(rows),
        state.rules().tender_id.hex().encode(),
    )
    amounts = {state.envelopes[b][0].no: forms[b].amount for b in opened}
    return ev.PricesReadOut(nonce=nonce, readout=readout, amounts=amounts)


def read_row(state: Opening, command: cmd.ReadRow, ctx: Context) -> list[Event]:
    if not 1 <= command.no <= len(state.bids):
        raise Refused("row.unknown")
    return [ev.RowRead(no=command.no)]


def report_body(state: Opening, command: cmd.ReportBody, ctx: Context) -> list[Event]:
    """A large envelope is decided later and never changes a form's state or the set of prices.

    It is decided once; only what too few shares could not open is tried again with more of them.
    """
    bid, envelope = state.envelopes[command.bid_id]
    decided = state.states.get(command.bid_id)
    if decided is not None and (
        decided != UNRECOVERABLE
        or state.rules().envelope(envelope).kind == "form"
        or command.releases == state.bodies_tried.get(command.bid_id)
    ):
        return []
    return [
        ev.BodyDecided(
            no=bid.no,
            envelope=envelope,
            bid_id=command.bid_id,
            state=command.state,
            releases=command.releases,
        )
    ]


def close_opening(state: Opening, command: cmd.CloseOpening, ctx: Context) -> list[Event]:
    return [*floor_rules.everybody_off(state.floor), ev.OpeningClosed()]

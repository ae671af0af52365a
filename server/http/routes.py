"""Every address of the HTTP side (路由表): method, path, use case, who may come in.

Invariant: the server and its OpenAPI description are both made from ``ROUTES`` and from nothing
else; a handler that is not here cannot be reached.
"""

from dataclasses import dataclass
from typing import Any, Final

from server.domain.model import STAFF, Role
from server.http import shapes
from server.http.guard import UseCase
from server.http.use_cases import (
    auth_challenge,
    auth_login,
    auth_logout,
    auth_me,
    auth_ticket,
    bootstrap,
    command,
    demo_people,
    edge_heads,
    event_list,
    live_answer,
    live_door,
    live_leave,
    live_own,
    live_publish,
    live_told,
    live_watch,
    log_checkpoint,
    log_consistency,
    openapi_json,
    opening_bundle,
    opening_closed,
    opening_closed_path,
    opening_envelopes,
    opening_evidence,
    opening_halves,
    opening_proofs,
    opening_repair,
    opening_sealed_bid,
    page,
    recording_file,
    recording_make,
    recording_show,
    tender_list,
    tender_manifest,
    tender_mine,
    tender_signatures,
    upload_create,
    upload_delete,
    upload_head,
    upload_header,
    upload_options,
    upload_patch,
    whip_delete,
    whip_options,
    whip_patch,
    whip_publish,
    whip_session,
)
from server.http.wire import CommandAsked
from server.live.whip import FRAGMENT, SDP

ANYONE: Final = None
PERSON: Final = frozenset(Role) - {Role.VIEWER, Role.SYSTEM}
BIDDER: Final = frozenset({Role.BIDDER})
OFFICERS: Final = STAFF
HOST: Final = frozenset({Role.HOST})

# What a parameter of a path may look like; anything else is no address of ours.
PATTERNS: Final = {
    "id": "[a-z0-9-]{1,64}",
    "uid": "[0-9a-f]{32}",
    "bid_id": "[0-9a-f]{64}",
    "room": "registry|(?:tender|opening|evaluation):[a-z0-9-]{1,64}",
    "file": "[a-z0-9][a-z0-9._-]{0,99}",
    "path": ".*",
}


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table. ``takes`` and ``gives`` describe bodies; ``media`` is what is given.

    ``counted``: whether requests are counted in metrics. What a bidder does before the deadline
    never is, the reading of the rules included, which whoever means to bid does once: the sums of a
    site with one tender would tell how many bidders there are. ``costly``: see ``guard.admitted``.
    """

    method: str
    path: str
    use_case: UseCase
    who: frozenset[Role] | None
    summary: str
    takes: Any = None
    gives: Any = None
    status: int = 200
    media: str = "application/json"
    query: tuple[str, ...] = ()
    counted: bool = False
    costly: bool = False

    @property
    def name(self) -> str:
        """A name for generated clients: the file of the use case."""
        return self.use_case.__module__.rsplit(".", 1)[-1]


BYTES: Final = "application/octet-stream"
R = Route
ROUTES: Final = (
    R("GET", "/bootstrap.json", bootstrap.handle, ANYONE, "What a page must know first",
      gives=shapes.Bootstrap, counted=True),
    R("GET", "/openapi.json", openapi_json.handle, ANYONE, "This description", counted=True),
    # who
    R("POST", "/auth/challenge", auth_challenge.handle, ANYONE, "A question for one login key",
      takes=shapes.ChallengeAsked, gives=shapes.ChallengeGiven),
    R("POST", "/auth/login", auth_login.handle, ANYONE, "Its answer; sets the session cookie",
      takes=shapes.LoginAsked, gives=shapes.LoggedIn),
    R("POST", "/auth/logout", auth_logout.handle, ANYONE, "Ends the session", status=204),
    R("GET", "/auth/me", auth_me.handle, ANYONE, "Who is logged in", gives=shapes.Me),
    R("POST", "/auth/ticket", auth_ticket.handle, PERSON, "A ticket for one WebSocket hello",
      gives=shapes.Ticket),
    # tenders
    R("GET", "/tenders", tender_list.handle, ANYONE, "The public board",
      gives=shapes.Board, counted=True),
    R("GET", "/tenders/{id}/manifest.json", tender_manifest.handle, ANYONE,
      "The signed rule book, verbatim"),
    R("GET", "/tenders/{id}/manifest.sig.json", tender_signatures.handle, ANYONE,
      "Its signatures, verbatim"),
    R("GET", "/tenders/{id}/mine", tender_mine.handle, BIDDER,
      "Registration, envelopes, submits and receipts of the asking bidder"),
    # uploads (tus 1.0.0)
    R("OPTIONS", "/uploads", upload_options.handle, ANYONE, "Which tus this is", status=204),
    R("POST", "/uploads", upload_create.handle, BIDDER, "Announces a sealed payload", status=201),
    R("HEAD", "/uploads/{uid}", upload_head.handle, BIDDER, "How much is durable"),
    R("PATCH", "/uploads/{uid}", upload_patch.handle, BIDDER, "The next bytes", status=204),
    R("DELETE", "/uploads/{uid}", upload_delete.handle, BIDDER, "Gives an upload up", status=204),
    R("PUT", "/uploads/{uid}/header", upload_header.handle, BIDDER,
      "The whole header: the upload becomes an envelope", takes=BYTES,
      gives=shapes.EnvelopeStored, status=201),
    # rooms, where WebSocket is stripped
    R("POST", "/rooms/{room}/commands", command.handle, ANYONE, "A command to a room",
      takes=CommandAsked, gives=shapes.CommandDone),
    R("GET", "/rooms/{room}/events", event_list.handle, ANYONE, "Events of a channel, long poll",
      gives=shapes.EventPage, query=("audience", "epoch", "after", "wait_ms")),
    R("GET", "/edge/heads", edge_heads.handle, ANYONE,
      "How far public channels have come, for edges that know the secret",
      gives=shapes.EdgeHeads, query=("boot", "version")),
    # the site log
    R("GET", "/log/checkpoint", log_checkpoint.handle, ANYONE, "The newest signed checkpoint",
      media="text/plain", counted=True),
    R("GET", "/log/consistency", log_consistency.handle, ANYONE,
      "That the log only grew between two sizes", query=("from", "to"), counted=True, costly=True),
    # openings
    R("GET", "/openings/{id}/closed.json", opening_closed.handle, ANYONE,
      "The counting SUBMITs, after the deadline", counted=True),
    R("GET", "/openings/{id}/proofs", opening_proofs.handle, ANYONE,
      "Public log entries with proofs", query=("size",), counted=True, costly=True),
    R("GET", "/openings/{id}/closed-path", opening_closed_path.handle, ANYONE,
      "That one SUBMIT is in the closed list", query=("sha256",), costly=True),
    R("GET", "/openings/{id}/sealed-bid", opening_sealed_bid.handle, ANYONE,
      "One counting bid, by the start of its bid_id, for whoever holds its unlock card",
      query=("bid_id_start",), costly=True),
    R("GET", "/openings/{id}/envelopes", opening_envelopes.handle, OFFICERS,
      "SUBMITs and headers, after the deadline", query=("size",)),
    R("GET", "/openings/{id}/halves", opening_halves.handle, OFFICERS,
      "The bidders' halves, for trustees after WINDOW_END"),
    R("PUT", "/openings/{id}/payloads/{bid_id}", opening_repair.handle, HOST,
      "The same sealed payload again, where the stored one is damaged", takes=BYTES, status=204),
    R("GET", "/openings/{id}/evidence", opening_evidence.handle, OFFICERS | BIDDER,
      "Everything logged about a bid that did not open", query=("bid_id",), costly=True),
    R("GET", "/openings/{id}/opening.zip", opening_bundle.handle, ANYONE,
      "The whole opening, to be checked offline", media="application/zip", counted=True,
      costly=True),
    # live video
    R("GET", "/media/{room}/door", live_door.handle, ANYONE,
      "What one may do in a room's video, and by which way", gives=shapes.LiveDoor, costly=True),
    R("GET", "/media/{room}/told", live_told.handle, PERSON,
      "What happens there, line by line; the stream is the presence",
      media="application/x-ndjson", query=("tab",)),
    R("POST", "/media/{room}/publish", live_publish.handle, PERSON, "A publisher's offer",
      takes=shapes.PublishAsked, gives=shapes.Published),
    R("POST", "/media/{room}/watch", live_watch.handle, PERSON, "What one watches from now on",
      takes=shapes.WatchAsked, gives=shapes.WatchOffered),
    R("POST", "/media/{room}/answer", live_answer.handle, PERSON, "The answer to its offer",
      takes=shapes.AnswerGiven),
    R("POST", "/media/{room}/own", live_own.handle, PERSON, "Mutes a track of one's own",
      takes=shapes.OwnMute),
    R("POST", "/media/{room}/leave", live_leave.handle, PERSON, "Goes at once",
      takes=shapes.LiveLeft),
    R("OPTIONS", "/media/{room}/whip", whip_options.handle, ANYONE,
      "What an encoder may send here", status=204),
    R("POST", "/media/{room}/whip", whip_publish.handle, ANYONE,
      "A camera publishes by itself, with a bearer token (RFC 9725)", takes=SDP, media=SDP,
      status=201),
    R("OPTIONS", "/media/{room}/whip/{uid}", whip_session.handle, ANYONE,
      "What it may send there later", status=204),
    R("PATCH", "/media/{room}/whip/{uid}", whip_patch.handle, ANYONE, "Restarts its ICE",
      takes=FRAGMENT, media=FRAGMENT),
    R("DELETE", "/media/{room}/whip/{uid}", whip_delete.handle, ANYONE, "It goes"),
    # recordings
    R("GET", "/media/{room}/recording.json", recording_show.handle, ANYONE,
      "What was recorded of a room, for its officers", costly=True),
    R("POST", "/media/{room}/recording", recording_make.handle, ANYONE,
      "Makes playable files of it", takes=shapes.MakeAsked, status=202),
    R("GET", "/media/{room}/recording/{file}", recording_file.handle, ANYONE,
      "A playable file, by ranges", media="video/mp4", query=("token",)),
    # the rest
    R("GET", "/demo/people.json", demo_people.handle, ANYONE, "The rehearsal's people"),
    R("GET", "/{path}", page.handle, ANYONE, "Pages and their files",
      media="text/html", counted=True),
)  # fmt: skip

"""The front desk (前台): what every handler is given, and who stands at it.

Invariant: a handler gets its parts from here and keeps nothing of its own between requests.
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from server.domain.model import PUBLIC, Actor
from server.http.challenges import Challenges
from server.http.metrics import HttpMetrics
from server.http.pages import Pages, read_pages
from server.http.ports import Hall, Person
from server.http.rates import Buckets, Slots, client_address
from server.http.sessions import Sessions
from server.http.settings import HttpSettings, Rate
from server.http.upload_desk import UploadDesk
from server.storage.blobs import BlobStore


@dataclass(frozen=True, slots=True)
class Front:
    """The parts of one running site."""

    hall: Hall
    settings: HttpSettings
    sessions: Sessions
    challenges: Challenges
    uploads: UploadDesk
    challenge_rate: Buckets
    login_rate: Buckets
    command_rate: Buckets
    card_rate: Buckets
    upload_rate: Buckets
    lookup_rate: Buckets
    polls: Slots
    pages: Pages
    openapi: bytes
    metrics: HttpMetrics

    @property
    def cookie(self) -> str:
        """``__Host-`` binds a cookie to this very host and to TLS; browsers refuse it without."""
        return "__Host-sid" if self.settings.is_secure else "sid"

    def session_token(self, request: web.Request) -> str:
        """What the client shows as its session; not yet checked.

        In a demo one browser plays several people, one a tab: there a tab may show its session in a
        header. Elsewhere only the cookie counts, which no script can read.
        """
        return self.tab_token(request) or request.cookies.get(self.cookie, "")

    def tab_token(self, request: web.Request) -> str:
        """The session that a tab of a demo shows; empty everywhere else."""
        return request.headers.get(SESSION_HEADER, "") if self.settings.demo else ""

    def replaced_token(self, request: web.Request) -> str:
        """The session that a login ends: in a demo the tab's own, never another tab's."""
        return self.tab_token(request) if self.settings.demo else self.session_token(request)

    def person(self, request: web.Request) -> Person | None:
        """Who is logged in."""
        return self.sessions.person(self.session_token(request))

    def actor(self, request: web.Request) -> Actor:
        """Who asks; the public where nobody is logged in."""
        person = self.person(request)
        return person.actor if person else PUBLIC

    def set_cookie(self, response: web.StreamResponse, token: str) -> None:
        """Not readable by scripts, never sent across sites, gone with the browser's session."""
        response.set_cookie(
            self.cookie,
            token,
            path="/",
            httponly=True,
            samesite="Strict",
            secure=self.settings.is_secure,
        )

    def clear_cookie(self, response: web.StreamResponse) -> None:
        """The same attributes, or the browser keeps a ``__Host-`` cookie."""
        response.del_cookie(
            self.cookie,
            path="/",
            httponly=True,
            samesite="Strict",
            secure=self.settings.is_secure,
        )

    def is_gone(self, request: web.Request) -> bool:
        """Whether nobody waits for the answer any more."""
        return request.transport is None or request.transport.is_closing()

    def address(self, request: web.Request) -> str:
        """By what address the client is counted."""
        peer = request.transport.get_extra_info("peername") if request.transport else None
        forwarded = request.headers.get("X-Forwarded-For", "")
        return client_address(peer[0] if peer else None, forwarded, self.settings.proxies)


def build_front(
    hall: Hall, settings: HttpSettings, blobs: BlobStore, metrics: HttpMetrics, openapi: bytes
) -> Front:
    """The parts of a site; uploads that were on their way are found again in ``blobs``."""
    limits = settings.limits

    def buckets(rate: Rate, code: str) -> Buckets:
        return Buckets(rate, limits.addresses_max, hall.now_ms, code)

    return Front(
        hall=hall,
        settings=settings,
        sessions=Sessions(limits, hall.now_ms, hall.person_by_key),
        challenges=Challenges(limits, hall.now_ms),
        uploads=UploadDesk(blobs, limits, hall.now_ms),
        challenge_rate=buckets(limits.challenge_rate, "auth.too_many"),
        login_rate=buckets(limits.login_rate, "auth.too_many"),
        command_rate=buckets(limits.command_rate, "command.too_many"),
        card_rate=buckets(limits.card_rate, "unlock.rate"),
        upload_rate=buckets(limits.upload_rate, "upload.too_many"),
        lookup_rate=buckets(limits.lookup_rate, "request.too_many"),
        polls=Slots(limits.polls_per_address_max, limits.polls_max, "request.too_many"),
        pages=read_pages(settings.pages),
        openapi=openapi,
        metrics=metrics,
    )


SESSION_HEADER: Final = "X-Kaibiao-Session"
FRONT: Final = web.AppKey("front", Front)

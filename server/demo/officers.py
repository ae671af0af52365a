"""Simulated officers (模拟负责人): host and supervisor deciding together, each with an own key.

As on their pages: what is countersigned is made anew from what is shown, never taken over as bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto.entries import act_message
from crypto.hashes import sha256
from crypto.keys import SigningKey
from crypto.objects.entry import EntryType
from server.demo.people import Visitor
from signaling.feed import HeardEvent

SUGGESTED = "grounds_suggested"
WORDS = {
    "no_try": "解密时限内没有收到解密请求",
    "late": "解密请求在时限结束以后到达",
    "wrong_key": "所用钥匙与封装时登记的不符",
    "failed": "解密请求没有成功",
    "outage": "服务器中断，时限没有补足",
    "shares": "保管人的份额不足",
    "storage": "存储的密文损坏",
    "bytes": "封装的内容不合规定",
}


@dataclass(frozen=True)
class Officer:
    """Somebody at a desk who holds the key of an office; the desk hears the staff's channel."""

    desk: Visitor
    key: SigningKey

    async def propose_ground(self, suggestion: Mapping[str, Any]) -> Any:
        """Confirms what the system suggests."""
        bid_id, ground = suggestion["bid_id"], suggestion["ground"]
        reason = WORDS[suggestion["why"]]
        message = await self._message(bid_id, ground, ground, reason)
        facts = {"bid_id": bid_id, "ground": ground, "reason": reason}
        return await self.desk.do("propose_ground", **facts, **self._half(message))

    async def countersign_ground(self, proposal: Mapping[str, Any]) -> Any:
        shown = (proposal["bid_id"], proposal["suggested"], proposal["ground"], proposal["reason"])
        message = await self._message(*shown)
        rules = await self.desk.read_rules()
        assert rules.suite_impl.verify(proposal["pk"], message, proposal["sig"])
        assert sha256(message) == proposal["act"]
        return await self.desk.do("countersign", act=proposal["act"], **self._half(message))

    async def _message(self, bid_id: bytes, suggested: str, ground: str, reason: str) -> bytes:
        rules = await self.desk.read_rules()
        members = {"bid_id": bid_id.hex(), "proposed": suggested, "ground": ground}
        return act_message(EntryType.STATE_DECIDED, rules.tender_id, {**members, "reason": reason})

    def _half(self, message: bytes) -> dict[str, bytes]:
        return {"pk": self.key.public, "sig": self.key.sign(message)}


def suggestions(desk: Visitor) -> list[Any]:
    """What the desk has heard about forms that did not open."""
    return [bid for event in desk.all(SUGGESTED) for bid in event["bids"]]


async def decide_grounds(host: Officer, supervisor: Officer) -> dict[str, int]:
    """Every bid that did not open gets its ground; how many got which. After the read-out."""
    announced = await host.desk.until_kind("bidders_announced")
    opened = (await host.desk.until_kind("prices_read_out"))["amounts"]
    left = announced["count"] - len(opened)
    if left:
        await host.desk.until(lambda e: e.kind == SUGGESTED and len(suggestions(host.desk)) >= left)
    for suggestion in suggestions(host.desk):
        bid_id = suggestion["bid_id"]
        await host.propose_ground(suggestion)
        proposal = await supervisor.desk.until(_about("ground_proposed", bid_id))
        await supervisor.countersign_ground(proposal)
        await host.desk.until(_about("ground_decided", bid_id))
    grounds = [decision["ground"] for decision in host.desk.all("ground_decided")]
    return {ground: grounds.count(ground) for ground in sorted(set(grounds))}


def _about(kind: str, bid_id: bytes) -> Any:
    def fits(event: HeardEvent) -> bool:
        return event.kind == kind and event.body["bid_id"] == bid_id

    return fits

"""Invitations (邀请登记): the host receipt key vouches for a bidder's keys (C17), uncertified."""

import msgspec

from crypto.keys import SigningKey
from crypto.manifest import Manifest
from crypto.registration import invite_message, organisation_hash
from server.domain.commands import RegisterBidder
from server.domain.model import Actor


def invitation_signature(
    key: SigningKey, rules: Manifest, command: RegisterBidder, actor: Actor
) -> RegisterBidder:
    """The command with the host's signature in place; whether it is lawful the room decides."""
    message = invite_message(
        rules.tender_id,
        command.bidder_pk,
        command.bidder_xpk,
        command.expiry_ms,
        organisation_hash(actor.org),
    )
    return msgspec.structs.replace(command, invitation_sig=key.sign(message))

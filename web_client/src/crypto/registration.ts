/**
 * Binding of a bidder's keys to its organisation (密钥登记): the bytes that are signed, the check.
 *
 * Invariant: the bidder key signs the bind bytes itself (proof of possession), and somebody else
 * vouches: the host receipt key for an invitation, which leaves the keys *uncertified* on every
 * screen, or a certificate, which is the reader's to check against a CA list of its own (C17).
 */
import type { BidderRegEntry } from "../formats.ts";
import { type Bytes, concat, hex, u64, unhex, utf8 } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import { label, sha256 } from "./hashes.ts";
import { verify } from "./keys.ts";
import type { TenderManifest } from "./manifest.ts";

/** What a registration claims. */
export interface BindClaims {
  readonly tender_id: Uint8Array;
  readonly bidder_pk: Uint8Array;
  readonly bidder_xpk: Uint8Array;
  readonly expiry_ms: number;
  readonly org_sha256: Uint8Array;
}

/** SHA-256 of the organisation code (统一社会信用代码). */
export function organisationHash(code: string): Bytes {
  return sha256(utf8(code));
}

function claimBytes(claims: BindClaims): Bytes {
  const { tender_id, bidder_pk, bidder_xpk, expiry_ms, org_sha256 } = claims;
  return concat(tender_id, bidder_pk, bidder_xpk, u64(expiry_ms), org_sha256);
}

/** What bidder_pk signs, and a certificate's key. */
export function bindMessage(claims: BindClaims): Bytes {
  return concat(label("KBID1 bind"), claimBytes(claims));
}

/** What the host receipt key signs for an invitation: the same claims, another label. */
export function inviteMessage(claims: BindClaims): Bytes {
  return concat(label("KBID1 invite"), claimBytes(claims));
}

/** Codes: `registration.` tender, keys, possession, uncertified, invitation. */
export function checkRegistration(entry: BidderRegEntry, manifest: TenderManifest): void {
  const { suite, members, tender_id } = manifest;
  if (entry.tender_id !== hex(tender_id)) throw new Rejected("registration.tender");
  const bidder_pk = unhex(entry.bidder_pk);
  const bidder_xpk = unhex(entry.bidder_xpk);
  if (!suite.isBoxPublic(bidder_xpk)) throw new Rejected("registration.keys");
  const claims: BindClaims = {
    tender_id,
    bidder_pk,
    bidder_xpk,
    expiry_ms: entry.expiry_ms,
    org_sha256: unhex(entry.org_sha256),
  };
  if (!suite.verify(bidder_pk, bindMessage(claims), unhex(entry.sig))) {
    throw new Rejected("registration.possession");
  }
  if (entry.binding.kind !== "invitation") return;
  if (!members.uncertified_allowed) throw new Rejected("registration.uncertified");
  const isVouched =
    entry.binding.pk === members.host_receipt_pk &&
    verify(unhex(members.host_receipt_pk), inviteMessage(claims), unhex(entry.binding.sig));
  if (!isVouched) throw new Rejected("registration.invitation");
}

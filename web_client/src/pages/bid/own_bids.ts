/**
 * The bidder's own bids as the device checks them (本单位投标): headers, halves, cards, receipts.
 *
 * Invariant: pure but for what it is given; libsodium is ready and the manifest is checked before
 * anything here is called.
 */
import { type Bytes, hex, unhex } from "../../crypto/bytes.ts";
import { encode, type Json } from "../../crypto/canonical.ts";
import { cardText } from "../../crypto/card.ts";
import { Rejected } from "../../crypto/errors.ts";
import { type Header, parseHeader, payloadSize } from "../../crypto/header.ts";
import { BoxKey } from "../../crypto/keys.ts";
import type { TenderManifest } from "../../crypto/manifest.ts";
import { parseReceipt, verifyReceipt } from "../../crypto/receipts.ts";
import { ownBidderHalf } from "../../crypto/sealing.ts";
import { KIND_WITHDRAW, parseSubmit } from "../../crypto/submissions.ts";
import type { OpenKeys } from "../../device/protocol.ts";
import type { Receipt } from "../../formats.ts";
import type { Mine } from "../../net/lookups.ts";
import type { OwnEnvelope, OwnReceipt, OwnSubmit, UnlockCard } from "./desk_view.ts";

export function ownEnvelopes(mine: Mine, manifest: TenderManifest): OwnEnvelope[] {
  return mine.envelopes.map((one) => {
    const header = parseHeader(unhex(one.header), manifest.suite);
    return {
      envelope: one.envelope,
      lot: one.lot,
      bidId: hex(header.bid_id),
      bytes: payloadSize(header),
      submitted: one.submitted,
    };
  });
}

/** Accepted messages, oldest first; only they make the chain of a lot. */
export function ownSubmits(mine: Mine, manifest: TenderManifest): OwnSubmit[] {
  return mine.submits
    .filter((one) => one.result === 0)
    .map((one) => {
      const message = parseSubmit(unhex(one.message), manifest.suite);
      return {
        sha256: hex(message.digest),
        isWithdrawal: message.kind === KIND_WITHDRAW,
        lot: message.lot,
        seq: message.seq,
        receivedMs: one.received_ms,
        bidIds: message.items.map((item) => hex(item.bid_id)),
      };
    })
    .sort((a, b) => a.lot - b.lot || a.seq - b.seq);
}

/** Receipts with this device's verdict on each; the file is the canonical one of formats.md §7. */
export function ownReceipts(mine: Mine, manifest: TenderManifest): OwnReceipt[] {
  return mine.receipts.map((given) => {
    const file = encode(given as Json);
    const named = { file, name: `${manifest.members.number}.receipt.json` };
    try {
      const { message } = verifyReceipt(parseReceipt(file), manifest);
      const { digest } = parseSubmit(message, manifest.suite);
      return { ...named, sha256: hex(digest), isValid: true, fault: "" };
    } catch (error) {
      if (!(error instanceof Rejected)) throw error;
      return { ...named, sha256: "", isValid: false, fault: error.code };
    }
  });
}

/** The receipt object of one SUBMIT, for the checks before unlocking. */
export function receiptOf(receipts: readonly OwnReceipt[], sha256: string): Receipt | null {
  const found = receipts.find((one) => one.isValid && one.sha256 === sha256);
  return found ? parseReceipt(found.file) : null;
}

export function headersOf(mine: Mine, manifest: TenderManifest): ReadonlyMap<string, Header> {
  const headers = mine.envelopes.map((one) => parseHeader(unhex(one.header), manifest.suite));
  return new Map(headers.map((header) => [hex(header.bid_id), header]));
}

/** s_B of each header, by the device's key. Throws `seed.*` when the key does not fit. */
export function ownHalves(headers: readonly Header[], keys: OpenKeys): Map<string, Bytes> {
  const box = new BoxKey(keys.boxSeed);
  return new Map(headers.map((header) => [hex(header.bid_id), ownBidderHalf(header, box)]));
}

export function ownCards(
  headers: readonly Header[],
  keys: OpenKeys,
  manifest: TenderManifest,
): UnlockCard[] {
  const halves = ownHalves(headers, keys);
  return headers.map((header) => ({
    envelope: header.envelope,
    envelopeName:
      manifest.members.envelopes.find((one) => one.envelope === header.envelope)?.name ?? "",
    lot: header.lot,
    text: cardText(header.bid_id, halves.get(hex(header.bid_id)) as Bytes, manifest.suite),
  }));
}

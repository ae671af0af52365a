/**
 * Signed promises in a command's answer (回执承诺): read and checked before anything is called done.
 *
 * Invariant: "done" is said only on an ACK of the manifest's receipt key over the very bytes that
 * were sent, with result 0.
 */
import { type Ack, ackSignatureOk, parseAck, RESULT_ACCEPTED } from "../crypto/ack.ts";
import { type Bytes, equal, unhex } from "../crypto/bytes.ts";
import { Rejected } from "../crypto/errors.ts";
import { sha256 } from "../crypto/hashes.ts";
import type { TenderManifest } from "../crypto/manifest.ts";

/** The ACKs of `messages`, in their order. Codes: ack.*, `ack.missing`, `ack.signature`. */
export function checkedAcks(
  result: Readonly<Record<string, unknown>>,
  messages: readonly Bytes[],
  kind: number,
  manifest: TenderManifest,
): Ack[] {
  const given = Array.isArray(result["acks"]) ? (result["acks"] as unknown[]) : [];
  const acks = given.map((raw) => {
    if (raw instanceof Uint8Array) return parseAck(raw);
    throw new Rejected("ack.missing");
  });
  const key = unhex(manifest.members.host_receipt_pk);
  return messages.map((message) => {
    const digest = sha256(message);
    const ack = acks.find((one) => equal(one.message_sha256, digest));
    if (ack === undefined || ack.kind !== kind) throw new Rejected("ack.missing");
    if (!equal(ack.tender_id, manifest.tender_id) || !ackSignatureOk(ack, key)) {
      throw new Rejected("ack.signature");
    }
    if (ack.result !== RESULT_ACCEPTED) throw new Rejected("ack.result");
    return ack;
  });
}

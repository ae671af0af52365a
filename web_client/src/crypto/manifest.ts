/**
 * The tender manifest (招标项目清单): what is opened, by whose keys, when, under which rules.
 *
 * Invariant: a `TenderManifest` exists only if its bytes are their own canonical form, have exactly
 * the members of the schema, obey every rule of `manifest_rules.ts`, and every trustee proved to
 * hold the key that signs its releases. tender_id is the hash of these bytes. Certificates (`ca`)
 * are not judged here: trust in a CA is the reader's own.
 */
import type { Envelope, Manifest, Session, Trustee } from "../formats.ts";
import type { EnvelopeTerms } from "./accept.ts";
import { type Bytes, concat, equal, hex, u8, u32, u64, unhex } from "./bytes.ts";
import { decodeDocument } from "./documents.ts";
import { Rejected } from "./errors.ts";
import { blake2b256, label } from "./hashes.ts";
import { verify } from "./keys.ts";
import { checkRules } from "./manifest_rules.ts";
import { getSuite, type Suite } from "./suites/index.ts";

/** A checked manifest: its bytes, its name, and its members as they stand there (hex is text). */
export interface TenderManifest {
  readonly raw: Bytes;
  readonly tender_id: Bytes;
  readonly suite: Suite;
  readonly members: Manifest;
}

/** Codes: those of canonical and schema, `suite.unknown`, `manifest.*`. */
export function parseManifest(
  raw: Uint8Array,
  options: { allowTest?: boolean } = {},
): TenderManifest {
  const members = decodeDocument("Manifest", raw);
  const suite = getSuite(members.suite, options);
  checkRules(members, suite);
  for (const trustee of members.trustees) {
    if (!suite.verify(unhex(trustee.spk), trusteeMessage(trustee), unhex(trustee.proof))) {
      throw new Rejected("manifest.trustee_proof", trustee.name);
    }
  }
  return { raw: new Uint8Array(raw), tender_id: blake2b256(raw), suite, members };
}

/** M of formats.md §2, which `proof` and a certificate sign. */
export function trusteeMessage(
  trustee: Pick<Trustee, "expiry_ms" | "xpk" | "spk" | "envelopes">,
): Bytes {
  return concat(
    label("KBID1 trustee"),
    u64(trustee.expiry_ms),
    unhex(trustee.xpk),
    unhex(trustee.spk),
    u8(trustee.envelopes.length),
    ...trustee.envelopes.map(u32),
  );
}

/** What officers sign to put a manifest in force. */
export function manifestMessage(tenderId: Uint8Array): Bytes {
  return concat(label("KBID1 manifest"), tenderId);
}

export interface OfficerSignature {
  readonly pk: Bytes;
  readonly role: string;
  readonly sig: Bytes;
}

/**
 * The signatures, all valid and by officers of the manifest in the roles they name: at least one
 * of agency or purchaser, and one supervisor.
 *
 * Codes: canonical and schema, `manifest_signature.` tender, officer, repeated, invalid, roles.
 */
export function parseManifestSignatures(
  raw: Uint8Array,
  manifest: TenderManifest,
): OfficerSignature[] {
  const value = decodeDocument("ManifestSignatures", raw);
  if (value.tender_id !== hex(manifest.tender_id)) {
    throw new Rejected("manifest_signature.tender");
  }
  const roles = new Map(manifest.members.officers.map((officer) => [officer.pk, officer.role]));
  const message = manifestMessage(manifest.tender_id);
  const found: OfficerSignature[] = [];
  for (const each of value.signatures) {
    const pk = unhex(each.pk);
    const sig = unhex(each.sig);
    if (roles.get(each.pk) !== each.role) throw new Rejected("manifest_signature.officer");
    if (found.some((other) => equal(other.pk, pk))) {
      throw new Rejected("manifest_signature.repeated");
    }
    if (!verify(pk, message, sig)) throw new Rejected("manifest_signature.invalid");
    found.push({ pk, role: each.role, sig });
  }
  const signed = new Set(found.map((each) => each.role));
  const isComplete = signed.has("supervisor") && (signed.has("agency") || signed.has("purchaser"));
  if (!isComplete) throw new Rejected("manifest_signature.roles");
  return found;
}

/** The envelope of this number. */
export function envelopeOf(manifest: TenderManifest, number: number): Envelope {
  const found = manifest.members.envelopes.find((each) => each.envelope === number);
  if (found === undefined) throw new Rejected("manifest.no_envelope", String(number));
  return found;
}

/** The session that opens this envelope. */
export function sessionOf(manifest: TenderManifest, envelope: number): Session {
  const found = manifest.members.sessions.find((each) => each.envelopes.includes(envelope));
  if (found === undefined) throw new Rejected("manifest.no_envelope", String(envelope));
  return found;
}

/** The trustees of one envelope in header order: number i is at position i - 1. */
export function trusteesOf(manifest: TenderManifest, envelope: number): Trustee[] {
  const { trustees } = manifest.members;
  const positions = envelopeOf(manifest, envelope).trustees;
  return positions.map((position) => trustees[position - 1] as Trustee);
}

/** What a header of this bidder for this envelope must agree with (C6). */
export function termsOf(
  manifest: TenderManifest,
  envelope: number,
  bidder: { pk: Uint8Array; xpk: Uint8Array },
): EnvelopeTerms {
  const { members, suite, tender_id } = manifest;
  const of = envelopeOf(manifest, envelope);
  return {
    suite,
    tender_id,
    lots: members.lots.map((lot) => lot.lot),
    envelope,
    kind: of.kind,
    log2_chunk: of.log2_chunk,
    pt_len_max: of.pt_len_max,
    t: of.t,
    trustee_xpks: trusteesOf(manifest, envelope).map((trustee) => unhex(trustee.xpk)),
    demo: members.demo,
    bidder_pk: bidder.pk,
    bidder_xpk: bidder.xpk,
  };
}

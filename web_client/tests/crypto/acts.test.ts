/** Acts of two officers: the same bytes as the server's, and no signature under anything else. */
import { beforeAll, describe, expect, it } from "vitest";
import {
  type Act,
  actBytes,
  checkProposal,
  type ProposedAct,
  signAct,
} from "../../src/crypto/acts.ts";
import { hex, unhex } from "../../src/crypto/bytes.ts";
import { decodeEntry } from "../../src/crypto/entries.ts";
import { sha256 } from "../../src/crypto/hashes.ts";
import { SigningKey } from "../../src/crypto/keys.ts";
import type { TenderManifest } from "../../src/crypto/manifest.ts";
import { sodiumReady } from "../../src/crypto/sodium.ts";
import { vectors } from "./vectors.ts";

interface EntryVector {
  readonly name: string;
  readonly entry: string;
  readonly act_message: string | null;
}
const ENTRIES = vectors<{ entries: readonly EntryVector[] }>("formats.json").entries;
const SEED = new Uint8Array(32).fill(7);
const SUPERVISOR = new Uint8Array(32).fill(8);
let manifest: TenderManifest;

const GROUND: Act = {
  kind: "ground",
  bidId: "11".repeat(32),
  suggested: "revoked",
  ground: "excused",
  reason: "大厅当日断网",
};

beforeAll(async () => {
  await sodiumReady();
  const officers = [
    { role: "host", code: "A", name: "林悦", pk: hex(new SigningKey(SEED).public) },
    { role: "supervisor", code: "B", name: "周岩", pk: hex(new SigningKey(SUPERVISOR).public) },
  ];
  manifest = {
    tender_id: unhex("22".repeat(32)),
    members: { officers },
  } as unknown as TenderManifest;
});

function proposal(act: Act = GROUND): ProposedAct {
  const half = signAct(manifest, "host", SEED, act);
  const name = hex(sha256(actBytes(manifest.tender_id, act)));
  return { ...act, act: name, by: "host", pk: hex(half.pk), sig: hex(half.sig) };
}

describe("the bytes that officers sign", () => {
  it("are those of the published vectors", () => {
    const of: Readonly<Record<string, (members: Record<string, never>) => Act>> = {
      STATE_DECIDED: (m) => ({
        kind: "ground",
        bidId: m["bid_id"] as never,
        suggested: m["proposed"] as never,
        ground: m["ground"] as never,
        reason: m["reason"] as never,
      }),
      TRUSTEES_LOST: (m) => ({
        kind: "loss",
        nonce: m["nonce"] as never,
        reason: m["reason"] as never,
      }),
      DEADLINE_CHANGE: (m) => ({
        kind: "deadline",
        oldMs: m["old_ms"] as never,
        deadlineMs: m["deadline_ms"] as never,
        reason: m["reason"] as never,
      }),
    };
    const found = ENTRIES.filter((entry) => entry.name in of);
    expect(found.map((entry) => entry.name).sort()).toEqual(Object.keys(of).sort());
    for (const entry of found) {
      const members = decodeEntry(unhex(entry.entry)).members as Record<string, never>;
      const act = (of[entry.name] as (m: Record<string, never>) => Act)(members);
      const tenderId = unhex(String(members["tender_id"]));
      expect(hex(actBytes(tenderId, act)), entry.name).toBe(entry.act_message);
    }
  });
});

describe("a proposal", () => {
  it("that is what it says passes", () => {
    expect(() => checkProposal(manifest, proposal())).not.toThrow();
  });

  it("with other words than were signed is refused", () => {
    const asked = { ...proposal(), reason: "另一个理由" } as ProposedAct;
    expect(() => checkProposal(manifest, asked)).toThrow("act.stale");
    const renamed = {
      ...asked,
      act: hex(sha256(actBytes(manifest.tender_id, { ...GROUND, reason: "另一个理由" }))),
    };
    expect(() => checkProposal(manifest, renamed)).toThrow("act.signature");
  });

  it("of a key that is not that office's is refused", () => {
    expect(() => checkProposal(manifest, { ...proposal(), by: "supervisor" })).toThrow(
      "act.officer",
    );
    const stranger = hex(SigningKey.generate().public);
    expect(() => checkProposal(manifest, { ...proposal(), pk: stranger })).toThrow("act.officer");
  });

  it("is not signed with the key of another office", () => {
    expect(() => signAct(manifest, "supervisor", SEED, GROUND)).toThrow("act.officer");
    expect(() => signAct(manifest, "host", SUPERVISOR, GROUND)).toThrow("act.officer");
  });
});

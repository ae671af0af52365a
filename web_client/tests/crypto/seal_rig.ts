/** One sealing on its way to a desk in memory: made-up files, terms, and what must come out. */
import { expect } from "vitest";
import type { EnvelopeTerms } from "../../src/crypto/accept.ts";
import { type Bytes, equal, hex } from "../../src/crypto/bytes.ts";
import { DiskSpool } from "../../src/crypto/disk_spool.ts";
import { unpad } from "../../src/crypto/form.ts";
import { type Header, payloadSize } from "../../src/crypto/header.ts";
import { BoxKey, SigningKey } from "../../src/crypto/keys.ts";
import { contentKey, openPayload } from "../../src/crypto/opening.ts";
import { hostHalf } from "../../src/crypto/schedule.ts";
import { type SealInput, SealJob } from "../../src/crypto/seal_job.ts";
import { GROUP_BYTES, type SenderOptions } from "../../src/crypto/seal_sender.ts";
import type { SealSource } from "../../src/crypto/seal_source.ts";
import { ownBidderHalf, unsealSeed } from "../../src/crypto/sealing.ts";
import { MemorySpool, type Spool } from "../../src/crypto/spool.ts";
import { NACL_1 } from "../../src/crypto/suites/index.ts";
import { Turns } from "../../src/crypto/turns.ts";
import type { UploadDesk } from "./upload_desk.ts";

export const MIB = 1 << 20;

/** The bidder; made when first asked for, once libsodium is there. */
export const bidder = {
  get key(): SigningKey {
    return new SigningKey(new Uint8Array(32).fill(1));
  },
  get box(): BoxKey {
    return new BoxKey(new Uint8Array(32).fill(2));
  },
};

export function terms(changes: Partial<EnvelopeTerms> = {}): EnvelopeTerms {
  return {
    suite: NACL_1,
    tender_id: new Uint8Array(32).fill(3),
    lots: [1],
    envelope: 2,
    kind: "body",
    log2_chunk: 20,
    pt_len_max: 2 ** 31,
    t: 2,
    trustee_xpks: [4, 5, 6].map((byte) => new BoxKey(new Uint8Array(32).fill(byte)).public),
    demo: false,
    bidder_pk: bidder.key.public,
    bidder_xpk: bidder.box.public,
    ...changes,
  };
}

/** A file whose byte at `at` is a simple function of `at`; remembers what was read. */
export class MadeUpFile implements SealSource {
  readonly reads: [number, number][] = [];
  readonly size: number;

  constructor(size: number) {
    this.size = size;
  }

  async read(from: number, to: number): Promise<Bytes> {
    this.reads.push([from, to]);
    const out = new Uint8Array(to - from);
    for (let i = 0; i < out.length; i++) out[i] = Math.imul(from + i, 2654435761) >>> 24;
    return out;
  }

  whole(): Promise<Bytes> {
    return new MadeUpFile(this.size).read(0, this.size);
  }
}

export interface Rig {
  job: SealJob;
  turns: Turns;
  delays: number[];
  sealed: { header: Header; half: Bytes }[];
  origin: { fetch: UploadDesk["fetch"]; headers: Record<string, string> };
  located: string[];
}

/** A job that sends to `desk`; waits between tries take no time and are only counted. */
export function rig(
  desk: UploadDesk,
  source: SealSource,
  spool: Spool,
  changes: Partial<SealInput> = {},
): Rig {
  const turns = new Turns();
  const origin = { fetch: desk.fetch, headers: { "X-Session": "one" } };
  const delays: number[] = [];
  const sealed: { header: Header; half: Bytes }[] = [];
  const located: string[] = [];
  const options: SenderOptions = {
    origin,
    uploads: "/uploads",
    location: null,
    located: async (location) => {
      located.push(location);
      if (spool instanceof DiskSpool) await spool.note(location);
    },
    delay: async (failures) => void delays.push(failures),
  };
  const events = {
    progress: () => {},
    sealed: async (header: Header, half: Bytes) => {
      sealed.push({ header, half });
      if (spool instanceof DiskSpool) await spool.finish(header.raw, about(spool, header));
    },
  };
  const input: SealInput = {
    terms: terms(),
    tender: "jz-2026",
    lot: 1,
    key: bidder.key,
    created_ms: 1_795_138_123_456,
    source,
    ...changes,
  };
  const job = new SealJob(input, spool, turns, options, events);
  return { job, turns, delays, sealed, origin, located };
}

function about(spool: DiskSpool, header: Header) {
  return {
    id: spool.id,
    tender: "jz-2026",
    envelope: 2,
    lot: 1,
    file_name: "技术标.pdf",
    bid_id: hex(header.bid_id),
    payload_size: payloadSize(header),
    upload: null,
  };
}

/** What the server stored opens to the file, padded, under the bidder's own keys. */
export async function expectStored(
  desk: UploadDesk,
  header: Header,
  file: MadeUpFile,
): Promise<void> {
  const pad = 65_536;
  const { box } = bidder;
  const kept = desk.stored.get(hex(header.bid_id));
  if (kept === undefined) throw new Error("nothing is stored under this bid_id");
  expect(equal(kept.header, header.raw)).toBe(true);
  const seed = unsealSeed(header, box);
  const opened = contentKey(header, ownBidderHalf(header, box), hostHalf(NACL_1, seed));
  if (opened === null) throw new Error("c_K differs");
  const plaintext = openPayload(header, opened, kept.payload);
  expect(plaintext.length % pad).toBe(0);
  expect(equal(unpad(plaintext, pad), await file.whole())).toBe(true);
}

/** Each byte of the file was asked for once, in order. */
export function expectReadOnce(file: MadeUpFile): void {
  const ends = file.reads.map(([, to]) => to);
  expect(file.reads.map(([from]) => from)).toEqual([0, ...ends.slice(0, -1)]);
  expect(ends.at(-1)).toBe(file.size);
}

export const memory = () => new MemorySpool(2 * GROUP_BYTES);

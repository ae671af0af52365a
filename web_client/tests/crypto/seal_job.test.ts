import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { acceptHeader, type EnvelopeTerms } from "../../src/crypto/accept.ts";
import { type Bytes, concat, equal, hex } from "../../src/crypto/bytes.ts";
import { DiskSpool, dropStored, listStored } from "../../src/crypto/disk_spool.ts";
import { Rejected } from "../../src/crypto/errors.ts";
import { unpad } from "../../src/crypto/form.ts";
import { type Header, payloadSize } from "../../src/crypto/header.ts";
import { BoxKey, SigningKey } from "../../src/crypto/keys.ts";
import { contentKey, openPayload } from "../../src/crypto/opening.ts";
import { hostHalf } from "../../src/crypto/schedule.ts";
import { type SealInput, SealJob } from "../../src/crypto/seal_job.ts";
import {
  GROUP_BYTES,
  Sender,
  type SenderOptions,
  uploadMetadata,
} from "../../src/crypto/seal_sender.ts";
import { BlobSource, type SealSource } from "../../src/crypto/seal_source.ts";
import { bidderHalfMatches, ownBidderHalf, unsealSeed } from "../../src/crypto/sealing.ts";
import { sodiumReady } from "../../src/crypto/sodium.ts";
import { MemorySpool, type Spool } from "../../src/crypto/spool.ts";
import { NACL_1 } from "../../src/crypto/suites/index.ts";
import { Turns } from "../../src/crypto/turns.ts";
import { UploadRefused } from "../../src/crypto/tus_upload.ts";
import { everything, privateDisk, reload } from "./private_disk.ts";
import { type Mishap, UploadDesk } from "./upload_desk.ts";

const MIB = 1 << 20;
let key: SigningKey;
let box: BoxKey;
let desk: UploadDesk;

beforeAll(async () => {
  await sodiumReady();
  key = new SigningKey(new Uint8Array(32).fill(1));
  box = new BoxKey(new Uint8Array(32).fill(2));
});

beforeEach(() => {
  desk = new UploadDesk();
});

function terms(changes: Partial<EnvelopeTerms> = {}): EnvelopeTerms {
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
    bidder_pk: key.public,
    bidder_xpk: box.public,
    ...changes,
  };
}

/** A file whose byte at `at` is a simple function of `at`; remembers what was read. */
class MadeUpFile implements SealSource {
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

interface Rig {
  job: SealJob;
  turns: Turns;
  delays: number[];
  sealed: { header: Header; half: Bytes }[];
  origin: { fetch: UploadDesk["fetch"]; headers: Record<string, string> };
  located: string[];
}

function rig(source: SealSource, spool: Spool, changes: Partial<SealInput> = {}): Rig {
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
    key,
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
async function expectStored(header: Header, file: MadeUpFile, pad = 65_536): Promise<void> {
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
function expectReadOnce(file: MadeUpFile): void {
  const ends = file.reads.map(([, to]) => to);
  expect(file.reads.map(([from]) => from)).toEqual([0, ...ends.slice(0, -1)]);
  expect(ends.at(-1)).toBe(file.size);
}

const memory = () => new MemorySpool(2 * GROUP_BYTES);

describe("on a good line", () => {
  test.each([1, 65_535, 65_536, 3 * MIB, 9 * MIB + 17])(
    "a file of %i bytes is sealed, sent and stored",
    async (size) => {
      const file = new MadeUpFile(size);
      const { job, sealed } = rig(file, memory());
      const header = await job.run();
      await expectStored(header, file);
      expectReadOnce(file);
      expect(acceptHeader(header.raw, terms())).toEqual(header);
      expect(bidderHalfMatches(header, sealed[0]?.half as Bytes)).toBe(true);
      const patches = desk.requests.filter((method) => method === "PATCH").length;
      expect(patches).toBe(Math.ceil(payloadSize(header) / GROUP_BYTES));
      expect(desk.requests[0]).toBe("POST");
      expect(desk.requests.at(-1)).toBe("PUT");
    },
  );

  test("an empty file is a body of padding alone", async () => {
    const header = await rig(new MadeUpFile(0), memory()).job.run();
    expect(header.pt_len).toBe(65_536);
  });

  test("a form is padded to 4096 and comes from memory", async () => {
    const form = new Blob(["{}"]);
    const formTerms = terms({ kind: "form", envelope: 1, log2_chunk: 16, pt_len_max: 65_536 });
    const header = await rig(new BlobSource(form), memory(), { terms: formTerms }).job.run();
    expect([header.pt_len, header.envelope]).toEqual([4096, 1]);
  });

  test("the time in the header is rounded to the minute", async () => {
    const header = await rig(new MadeUpFile(1), memory()).job.run();
    expect(header.created_ms).toBe(1_795_138_080_000n);
  });

  test("two sealings of one file share no key, no nonce and no ciphertext", async () => {
    const [a, b] = [
      await rig(new MadeUpFile(1000), memory()).job.run(),
      await rig(new MadeUpFile(1000), memory()).job.run(),
    ];
    expect(hex(a.bid_nonce)).not.toBe(hex(b.bid_nonce));
    expect(hex(a.ct_root)).not.toBe(hex(b.ct_root));
    expect(hex(unsealSeed(a, box))).not.toBe(hex(unsealSeed(b, box)));
  });

  test("a file beyond the tender's limit is refused before a byte is read or sent", () => {
    const file = new MadeUpFile(2 ** 31);
    expect(() => rig(file, memory())).toThrow("header.pt_len");
    expect([file.reads, desk.requests]).toEqual([[], []]);
  });
});

describe("on a bad line", () => {
  /** Every third request of a kind is cut, loses its answer, or meets a busy server, in turn. */
  const everyThird = (method: string, count: number): Mishap => {
    if (count % 3 !== 1) return {};
    const kinds: Mishap[] = [
      { cutAfter: method === "PATCH" ? 1_234_567 : 0 },
      { answerLost: true },
      { refuse: { status: 503, code: "room.busy", retryable: true } },
      { refuse: { status: 423, code: "upload.busy", retryable: true } },
    ];
    return kinds[Math.floor(count / 3) % kinds.length] as Mishap;
  };

  test.each([
    ["memory", memory],
    ["disk", null],
  ])("the file arrives, from %s, and no byte is ever encrypted twice", async (_, make) => {
    desk.mishap = everyThird;
    const file = new MadeUpFile(23 * MIB + 5);
    const spool = make === null ? await DiskSpool.create(privateDisk().all, "one") : make();
    const header = await rig(file, spool).job.run();
    await expectStored(header, file);
    expectReadOnce(file);
  });

  test("memory stays flat while the server answers nothing", async () => {
    const file = new MadeUpFile(20 * MIB);
    const spool = memory();
    let most = 0;
    desk.mishap = (method, count) => {
      most = Math.max(most, spool.size - spool.start);
      return method === "PATCH" && count < 6 ? { cutAfter: 0 } : {};
    };
    const header = await rig(file, spool).job.run();
    await expectStored(header, file);
    expect(most).toBeLessThanOrEqual(2 * GROUP_BYTES);
  });

  test("waits grow while nothing gets through", async () => {
    desk.mishap = (method, count) => (method === "PATCH" && count < 6 ? { cutAfter: 0 } : {});
    const { job, delays } = rig(new MadeUpFile(100), memory());
    await job.run();
    expect(delays).toEqual([1, 2, 3, 4, 5]);
  });

  test("a server that lost durable bytes is noticed, and nothing is encrypted again", async () => {
    desk.mishap = (method, count) =>
      method === "PATCH" && count === 3
        ? { cutAfter: 0, meanwhile: () => desk.forget(6 * MIB) }
        : {};
    const file = new MadeUpFile(20 * MIB);
    await expect(rig(file, memory()).job.run()).rejects.toMatchObject({ code: "upload.lost" });
    expect(desk.stored.size).toBe(0);
  });

  test("from the disk the lost bytes are simply sent again", async () => {
    desk.mishap = (method, count) =>
      method === "PATCH" && count === 3
        ? { cutAfter: 0, meanwhile: () => desk.forget(6 * MIB) }
        : {};
    const file = new MadeUpFile(20 * MIB);
    const header = await rig(file, await DiskSpool.create(privateDisk().all, "one")).job.run();
    await expectStored(header, file);
    expectReadOnce(file);
  });
});

describe("when somebody interferes", () => {
  test("a pause cuts the request off, and going on begins at the durable offset", async () => {
    const file = new MadeUpFile(12 * MIB);
    const held = rig(file, memory());
    const troubles: string[] = [];
    desk.mishap = (method, count) => {
      if (method !== "PATCH" || count !== 2) return {};
      return {
        meanwhile: () => {
          held.turns.pause();
          queueMicrotask(() => {
            troubles.push(held.job.sender.trouble);
            held.turns.resume();
          });
        },
      };
    };
    await expectStored(await held.job.run(), file);
    expectReadOnce(file);
    expect(troubles).toEqual([""]);
    expect(desk.requests).toContain("HEAD");
  });

  test("giving up ends both loops with the same reason", async () => {
    const held = rig(new MadeUpFile(20 * MIB), memory());
    desk.mishap = (method, count) =>
      method === "PATCH" && count === 2 ? { meanwhile: () => held.turns.cancel() } : {};
    await expect(held.job.run()).rejects.toMatchObject({ code: "seal.cancelled" });
    expect(desk.stored.size).toBe(0);
  });

  test("a lost session waits for a person, then goes on with the new one", async () => {
    const file = new MadeUpFile(9 * MIB);
    const held = rig(file, memory());
    let asked = 0;
    desk.mishap = (method, count) => {
      if (method !== "PATCH" || count !== 2) return {};
      queueMicrotask(function watch() {
        if (held.job.sender.trouble !== "needs_login") return void setTimeout(watch);
        asked++;
        held.origin.headers = { "X-Session": "two" };
        held.turns.resume();
      });
      return { refuse: { status: 401, code: "auth.required", retryable: false } };
    };
    await expectStored(await held.job.run(), file);
    expect(asked).toBe(1);
    expect(desk.headers.at(-1)).toMatchObject({ "X-Session": "two" });
  });

  test("a refusal for good ends the job with the server's code", async () => {
    desk.mishap = (method) =>
      method === "PUT" ? { refuse: { status: 409, code: "bid.late", retryable: false } } : {};
    const failure = await rig(new MadeUpFile(5), memory())
      .job.run()
      .catch((error) => error);
    expect(failure).toBeInstanceOf(UploadRefused);
    expect(failure.code).toBe("bid.late");
  });

  test("an address on another site is not followed", async () => {
    const held = rig(new MadeUpFile(5), memory());
    held.origin.fetch = async () =>
      new Response(null, { status: 201, headers: { Location: "https://evil.example/uploads/1" } });
    await expect(held.job.run()).rejects.toMatchObject({ code: "upload.location" });
  });
});

describe("when the file changes under the sealing", () => {
  test("a slice of another size refuses", async () => {
    const file = new MadeUpFile(5 * MIB);
    const read = file.read.bind(file);
    file.read = async (from, to) => (from < 2 * MIB ? read(from, to) : read(from, to - 1));
    await expect(rig(file, memory()).job.run()).rejects.toMatchObject({
      code: "seal.file_changed",
    });
    expect(desk.requests).not.toContain("PUT");
  });

  test("a browser that will not read a changed file refuses", async () => {
    const file = new File([new Uint8Array(3 * MIB)], "a.pdf", { lastModified: 1 });
    const slice = file.slice.bind(file);
    file.slice = (from = 0, to = 0) => {
      const part = slice(from, to);
      if (from > 0) part.arrayBuffer = () => Promise.reject(new DOMException("changed"));
      return part;
    };
    const source = new BlobSource(file);
    await expect(rig(source, memory()).job.run()).rejects.toMatchObject({
      code: "seal.file_changed",
    });
  });

  test("another time of change refuses", async () => {
    const file = new File([new Uint8Array(3 * MIB)], "a.pdf", { lastModified: 1 });
    const source = new BlobSource(file);
    Object.defineProperty(file, "lastModified", { value: 2 });
    await expect(rig(source, memory()).job.run()).rejects.toMatchObject({
      code: "seal.file_changed",
    });
  });
});

describe("after a reload", () => {
  /** Seals to the disk while the line is dead, as if the page were then closed. */
  async function sealedOnDisk(all: FileSystemDirectoryHandle, size: number): Promise<MadeUpFile> {
    const file = new MadeUpFile(size);
    const held = rig(file, await DiskSpool.create(all, "one"));
    desk.mishap = (method) => {
      if (method !== "PATCH" || held.sealed.length === 0) return {};
      held.turns.cancel();
      return { cutAfter: 100 };
    };
    await expect(held.job.run()).rejects.toBeInstanceOf(Rejected);
    desk.mishap = () => ({});
    reload(all);
    return file;
  }

  async function carryOn(all: FileSystemDirectoryHandle): Promise<Header> {
    const { spool, header: raw, about: kept } = await DiskSpool.open(all, "one");
    const header = acceptHeader(raw, terms());
    const turns = new Turns();
    const options = {
      origin: { fetch: desk.fetch, headers: {} },
      uploads: "/uploads",
      location: kept.upload,
      located: (location: string) => spool.note(location),
      delay: async () => {},
      length: payloadSize(header),
      metadata: uploadMetadata(kept.tender, header.core),
    };
    const sender = new Sender(options, spool, turns, () => {});
    sender.setHeader(raw);
    await sender.run();
    spool.close();
    return header;
  }

  test("the stored ciphertext is sent from where the server is", async () => {
    const { all } = privateDisk();
    const file = await sealedOnDisk(all, 9 * MIB);
    expect(await listStored(all)).toMatchObject([{ id: "one", file_name: "技术标.pdf" }]);
    const before = desk.requests.length;
    await expectStored(await carryOn(all), file);
    expect(desk.requests.slice(before)[0]).toBe("HEAD");
    expectReadOnce(file);
  });

  test("an upload that expired is made anew from the same ciphertext", async () => {
    const { all } = privateDisk();
    const file = await sealedOnDisk(all, 9 * MIB);
    desk.uploads.clear();
    const header = await carryOn(all);
    await expectStored(header, file);
    expect(desk.requests.filter((method) => method === "POST")).toHaveLength(2);
  });

  test("a header whose answer was lost is not sent twice over", async () => {
    const { all } = privateDisk();
    const file = await sealedOnDisk(all, 3 * MIB);
    const first = await carryOn(all);
    reload(all);
    const count = desk.requests.length;
    expect((await carryOn(all)).bid_id).toEqual(first.bid_id);
    expect(desk.requests.slice(count)).toEqual(["HEAD", "PUT"]);
    await expectStored(first, file);
  });

  test("the disk never holds a seed, a half or plaintext", async () => {
    const { all } = privateDisk();
    const file = await sealedOnDisk(all, 2 * MIB);
    const header = acceptHeader((await DiskSpool.open(all, "one")).header, terms());
    const seed = unsealSeed(header, box);
    const secrets = [seed, ownBidderHalf(header, box), hostHalf(NACL_1, seed), key.seed, box.seed];
    secrets.push((await file.whole()).slice(0, 32));
    for (const [name, bytes] of everything(all)) {
      for (const secret of secrets) expect([name, contains(bytes, secret)]).toEqual([name, false]);
    }
  });

  test("what was sealed by half cannot be carried on and is removed", async () => {
    const { all } = privateDisk();
    const spool = await DiskSpool.create(all, "half");
    spool.append(new Uint8Array(1000));
    await expect(DiskSpool.open(all, "half")).rejects.toMatchObject({ code: "seal.not_stored" });
    expect(await listStored(all)).toEqual([]);
    expect(everything(all).length).toBeGreaterThan(0); // another tab may still be sealing into it
    reload(all);
    expect(await listStored(all)).toEqual([]);
    expect(everything(all)).toEqual([]);
  });

  test("two tabs do not send from one folder", async () => {
    const { all } = privateDisk();
    await sealedOnDisk(all, MIB);
    await DiskSpool.open(all, "one");
    await expect(DiskSpool.open(all, "one")).rejects.toMatchObject({ code: "seal.busy" });
  });

  test("a dropped envelope is gone", async () => {
    const { all } = privateDisk();
    await sealedOnDisk(all, MIB);
    await dropStored(all, "one");
    await expect(DiskSpool.open(all, "one")).rejects.toMatchObject({ code: "seal.not_stored" });
  });

  test("a full disk says so", async () => {
    const { all, disk } = privateDisk();
    const spool = await DiskSpool.create(all, "one");
    disk.left = 2 * MIB;
    const failure = rig(new MadeUpFile(5 * MIB), spool).job.run();
    await expect(failure).rejects.toMatchObject({ code: "seal.storage_full" });
  });
});

function contains(bytes: Uint8Array, secret: Uint8Array): boolean {
  return Buffer.from(bytes).includes(Buffer.from(concat(secret)));
}

import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { acceptHeader } from "../../src/crypto/accept.ts";
import { type Bytes, hex } from "../../src/crypto/bytes.ts";
import { DiskSpool } from "../../src/crypto/disk_spool.ts";
import { payloadSize } from "../../src/crypto/header.ts";
import { GROUP_BYTES } from "../../src/crypto/seal_sender.ts";
import { BlobSource } from "../../src/crypto/seal_source.ts";
import { bidderHalfMatches, unsealSeed } from "../../src/crypto/sealing.ts";
import { sodiumReady } from "../../src/crypto/sodium.ts";
import { UploadRefused } from "../../src/crypto/tus_upload.ts";
import { privateDisk } from "./private_disk.ts";
import {
  bidder,
  expectReadOnce,
  expectStored,
  MadeUpFile,
  MIB,
  memory,
  rig,
  terms,
} from "./seal_rig.ts";
import { type Mishap, UploadDesk } from "./upload_desk.ts";

let desk: UploadDesk;

beforeAll(sodiumReady);

beforeEach(() => {
  desk = new UploadDesk();
});

describe("on a good line", () => {
  test.each([1, 65_535, 65_536, 3 * MIB, 9 * MIB + 17])(
    "a file of %i bytes is sealed, sent and stored",
    async (size) => {
      const file = new MadeUpFile(size);
      const { job, sealed } = rig(desk, file, memory());
      const header = await job.run();
      await expectStored(desk, header, file);
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
    const header = await rig(desk, new MadeUpFile(0), memory()).job.run();
    expect(header.pt_len).toBe(65_536);
  });

  test("a form is padded to 4096 and comes from memory", async () => {
    const form = new Blob(["{}"]);
    const formTerms = terms({ kind: "form", envelope: 1, log2_chunk: 16, pt_len_max: 65_536 });
    const header = await rig(desk, new BlobSource(form), memory(), { terms: formTerms }).job.run();
    expect([header.pt_len, header.envelope]).toEqual([4096, 1]);
  });

  test("the time in the header is rounded to the minute", async () => {
    const header = await rig(desk, new MadeUpFile(1), memory()).job.run();
    expect(header.created_ms).toBe(1_795_138_080_000n);
  });

  test("two sealings of one file share no key, no nonce and no ciphertext", async () => {
    const [a, b] = [
      await rig(desk, new MadeUpFile(1000), memory()).job.run(),
      await rig(desk, new MadeUpFile(1000), memory()).job.run(),
    ];
    expect(hex(a.bid_nonce)).not.toBe(hex(b.bid_nonce));
    expect(hex(a.ct_root)).not.toBe(hex(b.ct_root));
    expect(hex(unsealSeed(a, bidder.box))).not.toBe(hex(unsealSeed(b, bidder.box)));
  });

  test("a file beyond the tender's limit is refused before a byte is read or sent", () => {
    const file = new MadeUpFile(2 ** 31);
    expect(() => rig(desk, file, memory())).toThrow("header.pt_len");
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
    const header = await rig(desk, file, spool).job.run();
    await expectStored(desk, header, file);
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
    const header = await rig(desk, file, spool).job.run();
    await expectStored(desk, header, file);
    expect(most).toBeLessThanOrEqual(2 * GROUP_BYTES);
  });

  test("waits grow while nothing gets through", async () => {
    desk.mishap = (method, count) => (method === "PATCH" && count < 6 ? { cutAfter: 0 } : {});
    const { job, delays } = rig(desk, new MadeUpFile(100), memory());
    await job.run();
    expect(delays).toEqual([1, 2, 3, 4, 5]);
  });

  test("a server that lost durable bytes is noticed, and nothing is encrypted again", async () => {
    desk.mishap = (method, count) =>
      method === "PATCH" && count === 3
        ? { cutAfter: 0, meanwhile: () => desk.forget(6 * MIB) }
        : {};
    const file = new MadeUpFile(20 * MIB);
    await expect(rig(desk, file, memory()).job.run()).rejects.toMatchObject({
      code: "upload.lost",
    });
    expect(desk.stored.size).toBe(0);
  });

  test("from the disk the lost bytes are simply sent again", async () => {
    desk.mishap = (method, count) =>
      method === "PATCH" && count === 3
        ? { cutAfter: 0, meanwhile: () => desk.forget(6 * MIB) }
        : {};
    const file = new MadeUpFile(20 * MIB);
    const header = await rig(
      desk,
      file,
      await DiskSpool.create(privateDisk().all, "one"),
    ).job.run();
    await expectStored(desk, header, file);
    expectReadOnce(file);
  });
});

describe("when somebody interferes", () => {
  test("a pause cuts the request off, and going on begins at the durable offset", async () => {
    const file = new MadeUpFile(12 * MIB);
    const held = rig(desk, file, memory());
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
    await expectStored(desk, await held.job.run(), file);
    expectReadOnce(file);
    expect(troubles).toEqual([""]);
    expect(desk.requests).toContain("HEAD");
  });

  test("giving up ends both loops with the same reason", async () => {
    const held = rig(desk, new MadeUpFile(20 * MIB), memory());
    desk.mishap = (method, count) =>
      method === "PATCH" && count === 2 ? { meanwhile: () => held.turns.cancel() } : {};
    await expect(held.job.run()).rejects.toMatchObject({ code: "seal.cancelled" });
    expect(desk.stored.size).toBe(0);
  });

  test("a lost session waits for a person, then goes on with the new one", async () => {
    const file = new MadeUpFile(9 * MIB);
    const held = rig(desk, file, memory());
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
    await expectStored(desk, await held.job.run(), file);
    expect(asked).toBe(1);
    expect(desk.headers.at(-1)).toMatchObject({ "X-Session": "two" });
  });

  test("a refusal for good ends the job with the server's code", async () => {
    desk.mishap = (method) =>
      method === "PUT" ? { refuse: { status: 409, code: "bid.late", retryable: false } } : {};
    const failure = await rig(desk, new MadeUpFile(5), memory())
      .job.run()
      .catch((error) => error);
    expect(failure).toBeInstanceOf(UploadRefused);
    expect(failure.code).toBe("bid.late");
  });

  test("an address on another site is not followed", async () => {
    const held = rig(desk, new MadeUpFile(5), memory());
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
    await expect(rig(desk, file, memory()).job.run()).rejects.toMatchObject({
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
    await expect(rig(desk, source, memory()).job.run()).rejects.toMatchObject({
      code: "seal.file_changed",
    });
  });

  test("another time of change refuses", async () => {
    const file = new File([new Uint8Array(3 * MIB)], "a.pdf", { lastModified: 1 });
    const source = new BlobSource(file);
    Object.defineProperty(file, "lastModified", { value: 2 });
    await expect(rig(desk, source, memory()).job.run()).rejects.toMatchObject({
      code: "seal.file_changed",
    });
  });
});

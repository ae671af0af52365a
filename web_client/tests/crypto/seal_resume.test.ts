import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { acceptHeader } from "../../src/crypto/accept.ts";
import { concat } from "../../src/crypto/bytes.ts";
import { DiskSpool, dropStored, listStored } from "../../src/crypto/disk_spool.ts";
import { Rejected } from "../../src/crypto/errors.ts";
import { type Header, payloadSize } from "../../src/crypto/header.ts";
import { hostHalf } from "../../src/crypto/schedule.ts";
import { Sender, uploadMetadata } from "../../src/crypto/seal_sender.ts";
import { ownBidderHalf, unsealSeed } from "../../src/crypto/sealing.ts";
import { sodiumReady } from "../../src/crypto/sodium.ts";
import { NACL_1 } from "../../src/crypto/suites/index.ts";
import { Turns } from "../../src/crypto/turns.ts";
import { everything, privateDisk, reload } from "./private_disk.ts";
import { bidder, expectReadOnce, expectStored, MadeUpFile, MIB, rig, terms } from "./seal_rig.ts";
import { UploadDesk } from "./upload_desk.ts";

let desk: UploadDesk;

beforeAll(sodiumReady);

beforeEach(() => {
  desk = new UploadDesk();
});

describe("after a reload", () => {
  /** Seals to the disk while the line is dead, as if the page were then closed. */
  async function sealedOnDisk(all: FileSystemDirectoryHandle, size: number): Promise<MadeUpFile> {
    const file = new MadeUpFile(size);
    const held = rig(desk, file, await DiskSpool.create(all, "one"));
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
    await expectStored(desk, await carryOn(all), file);
    expect(desk.requests.slice(before)[0]).toBe("HEAD");
    expectReadOnce(file);
  });

  test("an upload that expired is made anew from the same ciphertext", async () => {
    const { all } = privateDisk();
    const file = await sealedOnDisk(all, 9 * MIB);
    desk.uploads.clear();
    const header = await carryOn(all);
    await expectStored(desk, header, file);
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
    await expectStored(desk, first, file);
  });

  test("the disk never holds a seed, a half or plaintext", async () => {
    const { all } = privateDisk();
    const file = await sealedOnDisk(all, 2 * MIB);
    const header = acceptHeader((await DiskSpool.open(all, "one")).header, terms());
    const seed = unsealSeed(header, bidder.box);
    const secrets = [
      seed,
      ownBidderHalf(header, bidder.box),
      hostHalf(NACL_1, seed),
      bidder.key.seed,
      bidder.box.seed,
    ];
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

  test("a folder that another tab removes while it is listed is no trouble", async () => {
    const { all } = privateDisk();
    await sealedOnDisk(all, MIB);
    const folder = await all.getDirectoryHandle("one");
    const get = folder.getFileHandle.bind(folder);
    folder.getFileHandle = async (name, options) => {
      if (name !== "lock") return get(name, options);
      await all.removeEntry("one");
      throw new DOMException(name, "NotFoundError");
    };
    expect(await listStored(all)).toEqual([]);
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
    const failure = rig(desk, new MadeUpFile(5 * MIB), spool).job.run();
    await expect(failure).rejects.toMatchObject({ code: "seal.storage_full" });
  });
});

test("a resume without a pause leaves what is under way to the next pause", () => {
  const turns = new Turns();
  const { signal } = turns;
  turns.resume();
  turns.pause();
  expect(signal.aborted).toBe(true);
});

function contains(bytes: Uint8Array, secret: Uint8Array): boolean {
  return Buffer.from(bytes).includes(Buffer.from(concat(secret)));
}

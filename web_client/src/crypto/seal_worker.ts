/**
 * The sealing worker (加密后台线程): one envelope from a chosen file to the server.
 *
 * Invariant: what `seal_job.ts` promises (each chunk read once and encrypted once; ciphertext alone
 * is ever sent again), with the browser around it: the private disk where there is one, memory
 * otherwise, messages to and from the page. One worker does one job; the page ends it afterwards, and
 * with it the memory that held the seed.
 */
import { retryDelay } from "../net/backoff.ts";
import { type Bytes, hex } from "./bytes.ts";
import { cardText } from "./card.ts";
import {
  DiskSpool,
  dropStored,
  hasRoom,
  listStored,
  newFolderId,
  sealedFolder,
} from "./disk_spool.ts";
import { Rejected } from "./errors.ts";
import { type Header, parseHeader, payloadSize } from "./header.ts";
import { randomBytes, SigningKey } from "./keys.ts";
import { parseManifest, termsOf } from "./manifest.ts";
import { SealJob } from "./seal_job.ts";
import type {
  SealCommand,
  SealReport,
  SealRequest,
  SealTrouble,
  StoredSeal,
} from "./seal_protocol.ts";
import { GROUP_BYTES, Sender, type SenderOptions, uploadMetadata } from "./seal_sender.ts";
import { BlobSource } from "./seal_source.ts";
import { sodiumReady } from "./sodium.ts";
import { MemorySpool } from "./spool.ts";
import { Turns } from "./turns.ts";
import { type Origin, UploadRefused } from "./tus_upload.ts";

const REPORT_EVERY_MS = 200;

interface Worker {
  onmessage: ((event: MessageEvent<SealCommand>) => void) | null;
  postMessage(report: SealReport): void;
}
const worker = self as unknown as Worker;

/** What is running in this worker. */
interface Running {
  readonly sender: Sender;
  readonly origin: Origin;
  readonly sealed: () => number;
}
/** One for the worker's one job, from before it starts: a pause may come while it loads. */
const turns = new Turns();
let running: Running | null = null;
let reportedMs = 0;
let reportedTrouble: SealTrouble = "";

worker.onmessage = ({ data }) => void obey(data);

async function obey(command: SealCommand): Promise<void> {
  switch (command.kind) {
    case "seal":
      return ending(null, (ids) => seal(command.request, ids));
    case "carry_on":
      return ending(command.id, () => carryOn(command));
    case "pause":
      turns.pause();
      return report(true);
    case "resume":
      if (running !== null) {
        if (command.headers !== undefined) running.origin.headers = command.headers;
        // Until the next try says otherwise; else the page would be asked to log in once more.
        running.sender.trouble = "";
      }
      turns.resume();
      return report(true);
    case "cancel":
      return turns.cancel();
    case "list_stored":
      return tellStored();
    case "drop_stored":
      return ending(null, () => drop(command.id));
  }
}

/** Whatever ends a job badly becomes one report; a fault of ours is not hidden behind a code. */
async function ending(
  storedId: string | null,
  work: (ids: { stored: string | null }) => Promise<void>,
): Promise<void> {
  const ids = { stored: storedId };
  try {
    await sodiumReady();
    await work(ids);
  } catch (error) {
    const isKnown = error instanceof Rejected || error instanceof UploadRefused;
    const code = isKnown ? error.code : "seal.trouble";
    // What the disk lost cannot be carried on with, however often it is tried.
    const stored_id = code === "seal.not_stored" ? null : ids.stored;
    worker.postMessage({ kind: "failed", code, stored_id });
    if (!isKnown) throw error;
  } finally {
    running = null;
  }
}

function report(isUrgent: boolean): void {
  if (running === null) return;
  const { sender, sealed } = running;
  const trouble = sender.trouble === "" && turns.isPaused ? "paused" : sender.trouble;
  const now = performance.now();
  // A new trouble never waits: after it nothing may move any more, and no later report would come.
  const isDue = isUrgent || trouble !== reportedTrouble || now - reportedMs >= REPORT_EVERY_MS;
  if (!isDue) return;
  reportedMs = now;
  reportedTrouble = trouble;
  const { sent, length: total } = sender;
  worker.postMessage({ kind: "progress", sealed: sealed(), sent, total, trouble });
}

function sending(origin: Origin, uploads: string): SenderOptions {
  return { origin, uploads, location: null, located: async () => {}, delay };
}

/** Waits as the rest of the client does between tries; a pause or the end cuts it short. */
function delay(failures: number, signal: AbortSignal): Promise<void> {
  const ms = retryDelay(failures, (randomBytes(1)[0] as number) / 256);
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function seal(request: SealRequest, ids: { stored: string | null }): Promise<void> {
  const allowTest = request.allow_test_suite === true;
  const manifest = parseManifest(request.manifest, { allowTest });
  const key = new SigningKey(request.bidder.sign_seed);
  const bidder = { pk: key.public, xpk: request.bidder.xpk };
  const terms = termsOf(manifest, request.envelope, bidder);
  const disk = await diskFor(request);
  const spool = disk ?? new MemorySpool(2 * GROUP_BYTES);
  const origin: Origin = { fetch: (url, init) => fetch(url, init), headers: request.headers };
  const options: SenderOptions = {
    ...sending(origin, request.uploads),
    located: async (location) => disk?.note(location),
  };
  let text: string | null = null;
  const events = {
    progress: () => report(false),
    sealed: async (header: Header, half: Bytes) => {
      text = cardText(header.bid_id, half, header.suite);
      if (disk !== null) {
        await disk.finish(header.raw, aboutOf(disk.id, request, header));
        ids.stored = disk.id;
      }
      const bid_id = hex(header.bid_id);
      worker.postMessage({ kind: "sealed", header: header.raw, bid_id, card_text: text });
      report(true);
    },
  };
  try {
    const source = new BlobSource(request.plaintext);
    const { tender, lot, created_ms } = request;
    const input = { terms, tender, lot, key, created_ms, source };
    const job = new SealJob(input, spool, turns, options, events);
    running = { sender: job.sender, origin, sealed: () => spool.size };
    tellDone(await job.run(), text, ids.stored);
  } finally {
    disk?.close();
    if (disk !== null && ids.stored === null) await discard(disk.id);
  }
}

/** The disk, if it is asked for and has room; refused only where the page insists on it. */
async function diskFor(request: SealRequest): Promise<DiskSpool | null> {
  if (request.spool === "memory") return null;
  const all = await sealedFolder();
  const isRoomy = all !== null && (await hasRoom(request.plaintext.size));
  if (all !== null && isRoomy) {
    try {
      return await DiskSpool.create(all, newFolderId(randomBytes(16)));
    } catch (error) {
      if (!(error instanceof Rejected) && !(error instanceof DOMException)) throw error;
    }
  }
  if (request.spool === "disk") throw new Rejected("seal.storage_full");
  return null;
}

function aboutOf(id: string, request: SealRequest, header: Header): StoredSeal {
  const { tender, envelope, lot, plaintext } = request;
  return {
    id,
    tender,
    envelope,
    lot,
    file_name: plaintext instanceof File ? plaintext.name.slice(0, 200) : "",
    bid_id: hex(header.bid_id),
    payload_size: payloadSize(header),
    upload: null,
  };
}

/** Send what an earlier visit sealed. Nothing is decrypted or encrypted here. */
async function carryOn(command: SealCommand & { kind: "carry_on" }): Promise<void> {
  const all = await sealedFolder();
  if (all === null) throw new Rejected("seal.not_stored");
  const { spool, header: raw, about } = await DiskSpool.open(all, command.id);
  try {
    const header = parseHeader(raw);
    if (spool.size !== payloadSize(header)) throw new Rejected("seal.not_stored");
    const origin: Origin = { fetch: (url, init) => fetch(url, init), headers: command.headers };
    const options: SenderOptions = {
      ...sending(origin, command.uploads),
      location: about.upload,
      located: (location) => spool.note(location),
    };
    const sender = storedSender(header, about, spool, options);
    running = { sender, origin, sealed: () => spool.size };
    await turns.guard(sender.run());
    tellDone(header, null, command.id);
  } finally {
    spool.close();
  }
}

function storedSender(
  header: Header,
  about: StoredSeal,
  spool: DiskSpool,
  options: SenderOptions,
): Sender {
  const metadata = uploadMetadata(about.tender, header.core);
  const length = payloadSize(header);
  const sender = new Sender({ ...options, length, metadata }, spool, turns, () => report(false));
  sender.setHeader(header.raw);
  return sender;
}

function tellDone(header: Header, card_text: string | null, stored_id: string | null): void {
  report(true);
  const bid_id = hex(header.bid_id);
  worker.postMessage({ kind: "done", header: header.raw, bid_id, card_text, stored_id });
}

async function tellStored(): Promise<void> {
  const all = await sealedFolder();
  worker.postMessage({ kind: "stored", seals: all === null ? [] : await listStored(all) });
}

async function drop(id: string): Promise<void> {
  const all = await sealedFolder();
  if (all !== null) await dropStored(all, id);
  await tellStored();
}

/** A half-made envelope: its keys are gone, so nothing can be done with it. */
async function discard(id: string): Promise<void> {
  const all = await sealedFolder();
  // If it cannot be removed now, the next listing does it; the reason of the end matters more.
  if (all !== null) await dropStored(all, id).catch(() => {});
}

/**
 * Sends ciphertext from a spool to the server, and the header last (密文发送).
 *
 * Invariant: bytes are sent only from the offset that the server calls durable, and only bytes that
 * the spool still has; if the server lost more than that, the job fails with `upload.lost` and
 * nothing is encrypted again. A refusal that may pass is tried again; a lost session waits for a
 * person; every other refusal ends the job with the server's code.
 */
import { type Bytes, base64, utf8 } from "./bytes.ts";
import { assert, Rejected } from "./errors.ts";
import type { SealTrouble } from "./seal_protocol.ts";
import type { Spool } from "./spool.ts";
import type { Turns } from "./turns.ts";
import {
  createUpload,
  type Origin,
  putHeader,
  sendBytes,
  UNREACHABLE,
  UploadRefused,
  uploadOffset,
} from "./tus_upload.ts";

/** Bytes of one PATCH: four chunks of 1 MiB. */
export const GROUP_BYTES: number = 4 << 20;
const NEEDS_LOGIN = ["auth.required", "auth.role"];

export interface SenderOptions {
  readonly origin: Origin;
  /** Where uploads are created. */
  readonly uploads: string;
  /** The upload's address, if an earlier visit made it. */
  readonly location: string | null;
  /** Called once the server gave an address; awaited. */
  readonly located: (location: string) => Promise<void>;
  /** Waits before try number `failures` (from 1); ends early when `signal` aborts. */
  readonly delay: (failures: number, signal: AbortSignal) => Promise<void>;
}

/** Upload-Metadata of an envelope: whose tender, and the core that is known up front. */
export function uploadMetadata(tender: string, core: Uint8Array): Record<string, string> {
  return { tender: base64(utf8(tender)), core: base64(core) };
}

export class Sender {
  sent = 0;
  trouble: SealTrouble = "";
  readonly length: number;
  private readonly options: SenderOptions;
  private readonly metadata: Readonly<Record<string, string>>;
  private readonly spool: Spool;
  private readonly turns: Turns;
  private readonly progress: () => void;
  private location: string | null;
  private header: Bytes | null = null;
  /** PATCHes in a row that brought the durable offset no further. */
  private stalled = 0;

  constructor(
    options: SenderOptions & { length: number; metadata: Readonly<Record<string, string>> },
    spool: Spool,
    turns: Turns,
    progress: () => void,
  ) {
    this.options = options;
    this.length = options.length;
    this.metadata = options.metadata;
    this.location = options.location;
    this.spool = spool;
    this.turns = turns;
    this.progress = progress;
  }

  /** The last piece: known when sealing is done. */
  setHeader(raw: Bytes): void {
    this.header = raw;
    this.turns.wake();
  }

  async run(): Promise<void> {
    const { origin } = this.options;
    if (this.location !== null && (await this.isStoredAlready(this.location))) return;
    const location = this.location ?? (await this.create());
    while (this.sent < this.length) {
      await this.turns.until(() => this.nextSize() > 0);
      await this.trying((signal) => this.sendNext(location, signal));
    }
    await this.turns.until(() => this.header !== null);
    const { header } = this;
    assert(header !== null, "the header was waited for");
    await this.trying((signal) => putHeader(origin, location, header, signal));
  }

  private async create(): Promise<string> {
    const { origin, uploads, located } = this.options;
    const upload = { length: this.length, metadata: this.metadata };
    const made = await this.trying((signal) => createUpload(origin, uploads, upload, signal));
    await located(made);
    return made;
  }

  /**
   * Learn the offset of an upload of an earlier visit. If the server does not know it any more, the
   * header was taken and only the answer was lost (asking again tells), or the upload has expired:
   * then the same ciphertext goes into a new one.
   */
  private async isStoredAlready(location: string): Promise<boolean> {
    const { origin } = this.options;
    try {
      this.moveTo(await this.trying((signal) => uploadOffset(origin, location, signal)));
      return false;
    } catch (error) {
      if (!isUnknown(error)) throw error;
    }
    const { header } = this;
    assert(header !== null, "an upload of an earlier visit was sealed then");
    try {
      await this.trying((signal) => putHeader(origin, location, header, signal));
      return true;
    } catch (error) {
      if (!isUnknown(error)) throw error;
      this.location = null;
      return false;
    }
  }

  /** Bytes of the next PATCH: a whole group, or the rest; 0 while not enough is sealed. */
  private nextSize(): number {
    const ready = this.spool.size - this.sent;
    const isRest = this.spool.size === this.length;
    return ready >= GROUP_BYTES ? GROUP_BYTES : isRest ? ready : 0;
  }

  private async sendNext(location: string, signal: AbortSignal): Promise<void> {
    const { origin } = this.options;
    try {
      const body = await this.spool.part(this.sent, this.nextSize());
      this.moveTo(await sendBytes(origin, location, { offset: this.sent, body }, signal));
    } catch (error) {
      if (!(error instanceof UploadRefused) || !error.isRetryable) throw error;
      await this.pauseBeforeAsking(error);
      this.moveTo(await uploadOffset(origin, location, this.turns.signal));
    }
  }

  /** A cut line is asked about after a wait: the server may still be reading from it. */
  private async pauseBeforeAsking(error: UploadRefused): Promise<void> {
    this.stalled++;
    this.setTrouble(troubleOf(error));
    await this.turns.until(() => true);
    await this.options.delay(this.stalled, this.turns.signal);
    await this.turns.until(() => true);
  }

  private moveTo(offset: number): void {
    if (offset > this.length || offset > this.spool.size) throw new Rejected("upload.offset");
    if (offset < this.spool.start) throw new Rejected("upload.lost");
    if (offset > this.sent) this.stalled = 0;
    this.sent = offset;
    this.spool.release(offset);
    this.setTrouble("");
    this.turns.wake();
  }

  /** Ask until it is answered, refused for good, or the job ends; pauses are waited for. */
  private async trying<Value>(ask: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    for (let failures = 1; ; failures++) {
      await this.turns.until(() => true);
      try {
        const value = await ask(this.turns.signal);
        this.setTrouble("");
        return value;
      } catch (error) {
        if (!(error instanceof UploadRefused)) throw error;
        await this.recover(error, failures);
      }
    }
  }

  private async recover(error: UploadRefused, failures: number): Promise<void> {
    if (this.turns.isPaused) return;
    if (NEEDS_LOGIN.includes(error.code)) {
      this.setTrouble("needs_login");
      this.turns.pause();
      return;
    }
    if (!error.isRetryable) throw error;
    this.setTrouble(troubleOf(error));
    await this.options.delay(failures, this.turns.signal);
  }

  /** A request that a pause cut off is no trouble of the line. */
  private setTrouble(trouble: SealTrouble): void {
    this.trouble = this.turns.isPaused ? "" : trouble;
    this.progress();
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof UploadRefused && error.code === "upload.unknown";
}

function troubleOf(error: UploadRefused): SealTrouble {
  return error.code === UNREACHABLE ? "offline" : "busy";
}

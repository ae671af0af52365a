/**
 * Seals one file while its ciphertext is already being sent (边加密边上传), in flat memory.
 *
 * The safe design, C10 and F19: every chunk of the plaintext is read once and encrypted once. What
 * is sent again after a cut line, a pause or a reload is the stored ciphertext, from a spool; the
 * plaintext is never opened a second time under one seed, so a file edited in between cannot meet
 * the same key and nonce. Seed and content key live in this worker's memory only. A page that is
 * reloaded before sealing ended has lost them: its half-made ciphertext is dropped and the file is
 * sealed anew with a new seed. A file that cannot be read to the size it had when it was chosen
 * refuses with `seal.file_changed`.
 *
 * Two loops share a spool: sealing runs ahead as far as the spool has room, sending follows in
 * sequential PATCHes of four chunks. A request that fails is asked for again from the offset that
 * the server says is durable.
 */
import { acceptCore, acceptHeader, BODY_PAD, type EnvelopeTerms, FORM_PAD } from "./accept.ts";
import type { Bytes } from "./bytes.ts";
import { assert, Rejected } from "./errors.ts";
import { paddedSize } from "./form.ts";
import { type Header, payloadSize } from "./header.ts";
import type { SigningKey } from "./keys.ts";
import { Sender, type SenderOptions, uploadMetadata } from "./seal_sender.ts";
import type { SealSource } from "./seal_source.ts";
import { drawSecrets, Sealer } from "./sealing.ts";
import type { Spool } from "./spool.ts";
import type { Turns } from "./turns.ts";

const MINUTE_MS = 60_000;

export interface SealInput {
  readonly terms: EnvelopeTerms;
  readonly tender: string;
  readonly lot: number;
  readonly key: SigningKey;
  readonly created_ms: number;
  readonly source: SealSource;
}

/** What a job tells while it runs. */
export interface SealEvents {
  /** Bytes sealed or sent changed, or the trouble did. */
  progress(): void;
  /** The header is made; awaited, so that it is on the disk before anything else happens. */
  sealed(header: Header, bidderHalf: Bytes): Promise<void>;
}

/** One envelope on its way from a file to the server. */
export class SealJob {
  readonly sender: Sender;
  private readonly turns: Turns;
  private readonly sealer: Sealer;
  private readonly input: SealInput;
  private readonly spool: Spool;
  private readonly events: SealEvents;

  /** Codes of C6 come at once: a file too large is refused before a byte of it is read. */
  constructor(
    input: SealInput,
    spool: Spool,
    turns: Turns,
    sending: SenderOptions,
    events: SealEvents,
  ) {
    const { terms, source } = input;
    const pad = terms.kind === "form" ? FORM_PAD : BODY_PAD;
    const secrets = drawSecrets(terms.suite);
    this.sealer = new Sealer({
      terms,
      lot: input.lot,
      pt_len: paddedSize(source.size, pad),
      created_ms: Math.floor(input.created_ms / MINUTE_MS) * MINUTE_MS,
      key: input.key,
      ...secrets,
    });
    const { core } = acceptCore(this.sealer.core.core, terms);
    this.input = input;
    this.spool = spool;
    this.events = events;
    const length = payloadSize(this.sealer.core);
    const metadata = uploadMetadata(input.tender, core);
    this.turns = turns;
    this.sender = new Sender({ ...sending, length, metadata }, spool, turns, events.progress);
  }

  get total(): number {
    return this.sender.length;
  }

  /** Seal and send; resolves when the server has payload and header. */
  async run(): Promise<Header> {
    // Both loops have ended before anybody closes the spool under them.
    const [sealed, sent] = await Promise.allSettled([
      this.turns.guard(this.seal()),
      this.turns.guard(this.sender.run()),
    ]);
    if (sealed.status === "rejected") throw sealed.reason;
    if (sent.status === "rejected") throw sent.reason;
    return sealed.value;
  }

  private async seal(): Promise<Header> {
    const { source, terms } = this.input;
    const { sealer, spool, turns } = this;
    let at = 0;
    while (!sealer.isComplete) {
      const size = sealer.nextSize;
      await turns.until(() => this.hasRoom(size));
      const plaintext = await paddedChunk(source, at, size);
      spool.append(sealer.sealChunk(plaintext));
      plaintext.fill(0);
      at += size;
      turns.wake();
      this.events.progress();
    }
    assert(spool.size === this.total, "all ciphertext is in the spool");
    // Our own header must pass what the server will ask of it.
    const header = acceptHeader(sealer.finish().raw, terms);
    await this.events.sealed(header, sealer.bidderHalf);
    this.sender.setHeader(header.raw);
    return header;
  }

  private hasRoom(size: number): boolean {
    const { spool } = this;
    const waiting = spool.size - spool.start;
    return waiting === 0 || waiting + size <= spool.roomMax;
  }
}

/** Plaintext [at, at + size) of the padded file: its bytes, then one 80, then zeros. */
async function paddedChunk(source: SealSource, at: number, size: number): Promise<Bytes> {
  const out = new Uint8Array(size);
  const end = Math.min(at + size, source.size);
  if (at < end) {
    const read = await source.read(at, end);
    if (read.length !== end - at) throw new Rejected("seal.file_changed");
    out.set(read);
    read.fill(0);
  }
  if (source.size >= at && source.size < at + size) out[source.size - at] = 0x80;
  return out;
}

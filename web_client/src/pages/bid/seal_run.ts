/**
 * One run from chosen files to a SUBMIT (封装、上传、递交): bodies, then the form that names them.
 *
 * Invariant: each envelope is sealed by its own worker, once; what is sent again is stored
 * ciphertext. SUBMIT goes out by itself after the last byte, and the run is done only on its signed
 * promise.
 */
import { ACK_SUBMIT } from "../../crypto/ack.ts";
import { type Bytes, hex, unhex } from "../../crypto/bytes.ts";
import { encodeForm } from "../../crypto/form.ts";
import { sha256 } from "../../crypto/hashes.ts";
import { SigningKey } from "../../crypto/keys.ts";
import type { TenderManifest } from "../../crypto/manifest.ts";
import type {
  SealCommand,
  SealDone,
  SealProgress,
  SealReport,
  SealRequest,
} from "../../crypto/seal_protocol.ts";
import { buildSubmit } from "../../crypto/submissions.ts";
import { keep } from "../../device/memory.ts";
import type { OpenKeys } from "../../device/protocol.ts";
import { checkedAcks } from "../../net/acks.ts";
import { Refused } from "../../net/commands.ts";
import { sessionHeaders } from "../../net/http.ts";
import { whoAmI } from "../../net/session.ts";
import { troubleOf } from "../../ui/refusal.tsx";
import type { JobFile, OwnSubmit, SealInput, SealJob, UnlockCard } from "./desk_view.ts";
import { keepStored } from "./stored_seals.ts";

export interface SealRunInput {
  readonly tender: string;
  readonly manifest: TenderManifest;
  readonly keys: OpenKeys;
  readonly bidder: { readonly code: string; readonly name: string };
  readonly input: SealInput;
  /** The chain of this lot, oldest first. */
  readonly chain: () => readonly OwnSubmit[];
  readonly now: () => number;
  readonly submit: (message: Bytes) => Promise<Readonly<Record<string, unknown>>>;
  readonly changed: (job: SealJob) => void;
  readonly card: (card: UnlockCard) => void;
}

const FORM_ENVELOPE = 1;
const SPEED_WINDOW_MS = 5000;
const CANCEL_MS = 3000;

export class SealRun {
  private job: SealJob;
  private worker: Worker | null = null;
  /** Stored ciphertext of the envelope that failed: a later resume carries on with it. */
  private storedId: string | null = null;
  private isOver = false;
  /** What browsers say of their room is no promise: after a write that failed, memory is used. */
  private isDiskFull = false;
  private isAskingWho = false;
  private readonly done = new Map<number, SealDone>();
  private readonly run: SealRunInput;
  private samples: { atMs: number; sent: number }[] = [];

  constructor(run: SealRunInput) {
    this.run = run;
    const bodies = run.manifest.members.envelopes.filter((one) => one.kind === "body");
    const files: JobFile[] = [
      ...bodies.map((one) => ({
        envelope: one.envelope,
        name: one.name,
        size: this.sizeOf(one.envelope),
        sealed: 0,
        sent: 0,
        state: "waiting" as const,
      })),
      {
        envelope: FORM_ENVELOPE,
        name: run.manifest.members.envelopes.find((one) => one.kind === "form")?.name ?? "",
        size: 4096,
        sealed: 0,
        sent: 0,
        state: "waiting" as const,
      },
    ];
    this.job = {
      lot: run.input.lot,
      step: "sealing",
      isPaused: false,
      files,
      startedMs: run.now(),
      bytesPerS: 0,
      trouble: null,
    };
  }

  /** Resolves when a SUBMIT was promised; a failure stays on the job, from where `resume` goes on. */
  async start(): Promise<boolean> {
    try {
      for (const file of this.job.files) {
        if (this.isOver) return false;
        if (this.done.has(file.envelope)) continue;
        this.done.set(file.envelope, await this.envelope(file.envelope));
      }
      await this.submit();
      return true;
    } catch (error) {
      if (!this.isOver) this.change({ step: "failed", trouble: troubleOf(error, this.run.now()) });
      return false;
    }
  }

  pause(): void {
    this.tell({ kind: "pause" });
    this.change({ isPaused: true });
  }

  /** After a pause, a login, or a failure: with what is stored, never by encrypting again. */
  async resume(): Promise<boolean> {
    this.change({ isPaused: false, trouble: null });
    if (this.worker) {
      this.tell({ kind: "resume", headers: sessionHeaders() });
      return false;
    }
    return this.start();
  }

  abandon(): void {
    this.isOver = true;
    const worker = this.worker;
    this.tell({ kind: "cancel" });
    // It clears the half-made ciphertext away and reports; one that hangs is ended.
    setTimeout(() => worker?.terminate(), CANCEL_MS);
  }

  private sizeOf(envelope: number): number {
    const { files, stored } = this.run.input;
    return files.get(envelope)?.size ?? stored.get(envelope)?.payload_size ?? 0;
  }

  private change(change: Partial<SealJob>): void {
    this.job = { ...this.job, ...change };
    this.run.changed(this.job);
  }

  private changeFile(envelope: number, change: Partial<JobFile>): void {
    const files = this.job.files.map((file) =>
      file.envelope === envelope ? { ...file, ...change } : file,
    );
    this.change({ files });
  }

  private tell(command: SealCommand): void {
    this.worker?.postMessage(command);
  }

  /** One envelope in a worker of its own, until the server has all of it. */
  private envelope(envelope: number): Promise<SealDone> {
    const worker = new Worker(new URL("../../crypto/seal_worker.ts", import.meta.url), {
      type: "module",
    });
    this.worker = worker;
    this.changeFile(envelope, { state: "sealing" });
    const over = () => {
      worker.terminate();
      if (this.worker === worker) this.worker = null;
    };
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<SealReport>) => {
        if (data.kind === "progress") this.progress(envelope, data);
        if (data.kind === "sealed") this.card(envelope, data.card_text);
        if (data.kind === "done") {
          over();
          this.changeFile(envelope, { state: "here", ...this.wholeOf(envelope) });
          this.storedId = null;
          resolve(data);
        }
        if (data.kind === "failed") {
          over();
          this.storedId = data.stored_id;
          if (data.code === "seal.storage_full") this.isDiskFull = true;
          reject(new Refused(data.code));
        }
      };
      worker.onerror = (event) => {
        over();
        reject(new Error(event.message || "the sealing worker could not start"));
      };
      worker.postMessage(this.command(envelope));
    });
  }

  private command(envelope: number): SealCommand {
    const shared = { uploads: "/uploads", headers: sessionHeaders() };
    const { manifest, keys, tender, input, now } = this.run;
    const storedId = this.storedId ?? this.earlier(envelope);
    if (storedId !== null) return { kind: "carry_on", id: storedId, ...shared };
    const request: SealRequest = {
      ...shared,
      manifest: manifest.raw,
      tender,
      envelope,
      lot: input.lot,
      bidder: { sign_seed: keys.signSeed, xpk: keys.xpk },
      plaintext: envelope === FORM_ENVELOPE ? this.form() : this.file(envelope),
      created_ms: now(),
      spool: this.isDiskFull ? "memory" : "auto",
    };
    return { kind: "seal", request };
  }

  /** Sealed on an earlier visit, and no other file was chosen since. */
  private earlier(envelope: number): string | null {
    const { files, stored } = this.run.input;
    return files.has(envelope) ? null : (stored.get(envelope)?.id ?? null);
  }

  private file(envelope: number): File {
    const file = this.run.input.files.get(envelope);
    if (!file) throw new Refused("submit.envelopes");
    return file;
  }

  /** The form's canonical bytes; it names the bodies that were sealed before it. */
  private form(): Blob {
    const { manifest, bidder, input } = this.run;
    const others = [...this.done.entries()].map(([envelope, done]) => ({
      envelope,
      bid_id: unhex(done.bid_id),
    }));
    const place = { lot: input.lot, envelope: FORM_ENVELOPE };
    const raw = encodeForm(manifest, place, { bidder, fields: input.fields, others });
    this.formHash = hex(sha256(raw));
    return new Blob([raw]);
  }

  private formHash = "";

  private wholeOf(envelope: number): Partial<JobFile> {
    const file = this.job.files.find((one) => one.envelope === envelope);
    return { sealed: file?.size ?? 0, sent: file?.size ?? 0 };
  }

  private progress(envelope: number, report: SealProgress): void {
    if (report.trouble === "needs_login") void this.loginAgain();
    const isSealing = report.sealed < report.total && report.sent === 0;
    this.changeFile(envelope, {
      size: report.total,
      sealed: report.sealed,
      sent: report.sent,
      state: isSealing ? "sealing" : "sending",
    });
    const sent = this.job.files.reduce((sum, file) => sum + file.sent, 0);
    this.change({
      step: isSealing && sent === 0 ? "sealing" : "sending",
      isPaused: report.trouble === "paused",
      bytesPerS: this.speed(sent),
    });
  }

  /** Bytes a second over the last five seconds. */
  private speed(sent: number): number {
    const atMs = performance.now();
    this.samples = [...this.samples, { atMs, sent }].filter(
      (sample) => sample.atMs >= atMs - SPEED_WINDOW_MS,
    );
    const first = this.samples[0];
    if (!first || atMs - first.atMs < 500) return 0;
    return ((sent - first.sent) * 1000) / (atMs - first.atMs);
  }

  /** The session is over: a tab that holds its login key gets a new one; others wait for a person. */
  private async loginAgain(): Promise<void> {
    if (this.isAskingWho) return;
    this.isAskingWho = true;
    try {
      const who = await whoAmI();
      if (!who.person) throw new Refused("auth.required");
      this.tell({ kind: "resume", headers: sessionHeaders() });
    } catch (error) {
      this.change({ isPaused: true, trouble: troubleOf(error, this.run.now()) });
    } finally {
      this.isAskingWho = false;
    }
  }

  private card(envelope: number, text: string): void {
    const { manifest, input } = this.run;
    const envelopeName =
      manifest.members.envelopes.find((one) => one.envelope === envelope)?.name ?? "";
    this.run.card({ envelope, envelopeName, lot: input.lot, text });
  }

  private async submit(): Promise<void> {
    this.change({ step: "submitting" });
    const { manifest, keys, input, chain } = this.run;
    const last = chain().at(-1);
    const items = [...this.done.entries()].map(([envelope, done]) => ({
      envelope,
      bid_id: unhex(done.bid_id),
    }));
    const message = buildSubmit(
      manifest.suite,
      {
        tender_id: manifest.tender_id,
        lot: input.lot,
        seq: (last?.seq ?? 0) + 1,
        prev: last ? unhex(last.sha256) : new Uint8Array(32),
        items,
      },
      new SigningKey(keys.signSeed),
    );
    const result = await this.run.submit(message.raw);
    checkedAcks(result, [message.raw], ACK_SUBMIT, manifest);
    const form = this.done.get(FORM_ENVELOPE);
    // The hash alone: with it this device can say later whether what was read out is what it sealed.
    if (form) await keep(`form:${form.bid_id}`, this.formHash);
    await this.dropStored();
    this.change({ step: "done" });
  }

  /** The server promised this lot's bid: no ciphertext of this lot on this disk is needed any more. */
  private async dropStored(): Promise<void> {
    const { tender, input } = this.run;
    await keepStored((seal) => seal.tender === tender && seal.lot === input.lot);
  }
}

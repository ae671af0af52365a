/**
 * The stream of told lines (在场流), kept alive: read, watched for silence, opened again.
 *
 * Invariant: at most one stream is open; a stream that says nothing for `SILENT_MS` is given up;
 * after a wake (network back, laptop opened) the next try comes at once.
 */
import { retryDelay } from "../net/backoff.ts";
import { Refused } from "../net/commands.ts";

export interface ToldEnvironment {
  open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Calls back after some ms; what is returned calls it off. */
  after(ms: number, what: () => void): () => void;
  now(): number;
  random(): number;
}

export interface ToldSink {
  line(line: unknown): void;
  /** "refused": with the server's code; it is asked again, seldom unless for a login. */
  state(state: "up" | "down" | "refused", code: string): void;
}

/** The server beats every five seconds. */
const SILENT_MS = 12_000;
/** After a wake, a stream that has not spoken for so long is not believed. */
const DOUBTED_MS = 6_000;
const REFUSED_AGAIN_MS = 15_000;
const LINE_BYTES_MAX = 1 << 20;

export class ToldStream {
  private readonly environment: ToldEnvironment;
  private readonly sink: ToldSink;
  private isOn = false;
  private opened: AbortController | null = null;
  private heardMs = 0;
  private failures = 0;
  private callOff: (() => void) | null = null;

  constructor(environment: ToldEnvironment, sink: ToldSink) {
    this.environment = environment;
    this.sink = sink;
  }

  start(): void {
    if (this.isOn) return;
    this.isOn = true;
    void this.read();
  }

  stop(): void {
    this.isOn = false;
    this.settle();
    this.opened?.abort();
    this.opened = null;
  }

  /** The network or the device is back. */
  wake(): void {
    if (!this.isOn) return;
    if (this.opened === null) {
      this.settle();
      void this.read();
    } else if (this.environment.now() - this.heardMs > DOUBTED_MS) {
      this.opened.abort();
    }
  }

  private settle(): void {
    this.callOff?.();
    this.callOff = null;
  }

  private async read(): Promise<void> {
    const opened = new AbortController();
    this.opened = opened;
    let code = "";
    try {
      this.watch(opened);
      const stream = await this.environment.open(opened.signal);
      await this.lines(stream, opened.signal);
    } catch (error) {
      if (error instanceof Refused && !error.retryable) code = error.code;
    }
    if (this.opened !== opened) return;
    this.opened = null;
    this.settle();
    if (!this.isOn) return;
    this.failures += 1;
    this.sink.state(code === "" ? "down" : "refused", code);
    // A login that ended with the server's last life is renewed within moments.
    const isSoon = code === "" || code === "auth.required";
    const wait = isSoon ? retryDelay(this.failures, this.environment.random()) : REFUSED_AGAIN_MS;
    this.callOff = this.environment.after(wait, () => void this.read());
  }

  /** Gives the stream up when it falls silent. */
  private watch(opened: AbortController): void {
    this.heardMs = this.environment.now();
    const look = () => {
      const left = this.heardMs + SILENT_MS - this.environment.now();
      if (left <= 0) opened.abort();
      else this.callOff = this.environment.after(left, look);
    };
    this.callOff = this.environment.after(SILENT_MS, look);
  }

  private async lines(stream: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const decoder = new TextDecoder();
    let held = "";
    for await (const bytes of stream) {
      if (signal.aborted) return;
      held += decoder.decode(bytes, { stream: true });
      const parts = held.split("\n");
      held = parts.pop() ?? "";
      if (held.length > LINE_BYTES_MAX) return;
      for (const part of parts) if (part.trim() !== "") this.take(part);
    }
  }

  private take(part: string): void {
    let line: unknown;
    try {
      line = JSON.parse(part);
    } catch {
      return; // cut by a proxy; the next `state` line makes it good
    }
    this.heardMs = this.environment.now();
    if (typeof line !== "object" || line === null || !("kind" in line)) return;
    if (line.kind === "state") {
      this.failures = 0;
      this.sink.state("up", "");
    }
    if (line.kind !== "beat") this.sink.line(line);
  }
}

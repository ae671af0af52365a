/**
 * One media connection kept up (保持连接): `lasting.ts` decides, this does it.
 *
 * Invariant: at most one connection is open; what an older one still reports changes nothing.
 */
import { signal } from "@preact/signals";
import { type Happening, type Lasting, OFF, step } from "./lasting.ts";
import { type Look, lookAt, type Quality, qualityOf } from "./quality.ts";

const TICK_MS = 400;
/** A word about quality stands for so long. */
const WORD_MS = 2_000;

export interface Keeping {
  readonly way: "publish" | "watch";
  /** Offers, answers: whatever it takes until the connection may come up. */
  negotiate(connection: RTCPeerConnection): Promise<void>;
  /** Packets of somebody should be coming. */
  expects(): boolean;
  servers(): RTCIceServer[];
  /** The connection is gone; another may follow. */
  closed(): void;
}

export class Keeper {
  readonly phase = signal<Lasting["phase"]>("off");
  readonly quality = signal<Quality>("none");
  readonly look = signal<Look | null>(null);
  /** Tries in a row that came to nothing. */
  readonly failures = signal(0);
  /** The last refusal or fault, for whoever wants to say why; null while all is well. */
  readonly fault = signal<unknown>(null);
  connection: RTCPeerConnection | null = null;
  private readonly keeping: Keeping;
  private state: Lasting = OFF;
  private timer: ReturnType<typeof setInterval> | null = null;
  private worded: Look | null = null;

  constructor(keeping: Keeping) {
    this.keeping = keeping;
  }

  want = (): void => this.happened({ kind: "wanted" });
  unwant = (): void => this.happened({ kind: "unwanted" });
  restarted = (): void => this.happened({ kind: "restarted" });
  wake = (): void => this.happened({ kind: "woken" });

  /** What was being negotiated has failed. */
  trouble = (fault: unknown): void => {
    this.fault.value = fault;
    this.happened({ kind: "trouble" });
  };

  private happened(what: Happening): void {
    const { next, act } = step(this.state, what, performance.now(), Math.random());
    this.state = next;
    if (act !== null) this.drop();
    if (act === "open") void this.open();
    this.phase.value = next.phase;
    this.failures.value = next.failures;
    if (next.phase !== "off") this.timer ??= setInterval(() => void this.tick(), TICK_MS);
    else if (this.timer !== null) {
      clearInterval(this.timer);
      this.timer = null;
    }
  }

  private drop(): void {
    const { connection } = this;
    this.connection = null;
    this.worded = null;
    this.look.value = null;
    this.quality.value = "none";
    connection?.close();
    if (connection !== null) this.keeping.closed();
  }

  private async open(): Promise<void> {
    const connection = new RTCPeerConnection({
      iceServers: this.keeping.servers(),
      bundlePolicy: "max-bundle",
    });
    this.connection = connection;
    connection.addEventListener("connectionstatechange", () => {
      if (this.connection !== connection) return;
      const state = connection.connectionState;
      if (state === "connected") {
        this.fault.value = null;
        this.happened({ kind: "connected" });
      } else if (state === "disconnected" || state === "failed" || state === "closed") {
        this.happened({ kind: "trouble" });
      }
    });
    try {
      await this.keeping.negotiate(connection);
    } catch (error) {
      if (this.connection === connection) this.trouble(error);
    }
  }

  private async tick(): Promise<void> {
    const { connection } = this;
    if (connection !== null) {
      const rows: Record<string, unknown>[] = [];
      try {
        (await connection.getStats()).forEach((row: Record<string, unknown>) => {
          rows.push(row);
        });
      } catch {
        // closed meanwhile
      }
      if (this.connection === connection) this.seen(lookAt(rows, this.keeping.way, Date.now()));
    }
    this.happened({ kind: "tick", expects: this.keeping.expects() });
  }

  private seen(look: Look): void {
    if (look.bytes > (this.look.value?.bytes ?? 0)) this.happened({ kind: "bytes" });
    this.look.value = look;
    if (this.worded === null || look.atMs - this.worded.atMs >= WORD_MS) {
      this.quality.value = qualityOf(this.worded, look);
      this.worded = look;
    }
  }
}

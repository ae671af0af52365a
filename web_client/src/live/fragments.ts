/**
 * Plays a room's fragments (片段播放): by MSE over a WebSocket, by plain HLS where MSE is missing.
 *
 * Invariant: the player stays near the live edge and says how late it is by the server's clock; a
 * stream that ends, a buffer that fails and a picture that stands still all end in the same: a new
 * connection with a new token.
 */
import { type Signal, signal } from "@preact/signals";
import { retryDelay } from "../net/backoff.ts";
import { clock } from "../net/store.ts";
import { FragmentReader, follow, type Piece, type Standing } from "./fragment_reader.ts";
import { keepPace, type Pace } from "./pace.ts";
import type { Door } from "./routes.ts";

type Addresses = NonNullable<Door["fragments"]>;

export type Playing = "off" | "joining" | "playing" | "waiting" | "again";

const LOOK_MS = 250;
const JOIN_MS_MAX = 8_000;
/** A picture that stands so long is said to wait; after the longer one it is begun anew. */
const WAITING_MS = 1_500;
const STILL_MS = 4_000;
/** HLS begins with three whole segments, and each comes at once. */
const HLS_MS = 20_000;
/** Where it is not known whether anybody sends. */
const DOUBT_MS = 12_000;
/** Said by the server when somebody may not watch any more. */
const CLOSE_NOT_ALLOWED = 4403;
const LANE_MAX = 300;

/** Apple's phones have the one that they manage themselves. */
export function mediaSource(): typeof MediaSource | null {
  const known = globalThis as { ManagedMediaSource?: typeof MediaSource };
  return known.ManagedMediaSource ?? globalThis.MediaSource ?? null;
}

/** One stream's buffer: what it has no room for yet waits. */
class Lane {
  private readonly buffer: SourceBuffer;
  private readonly waiting: { bytes: ArrayBuffer; mime: string | null }[] = [];
  private trimS: number | null = null;
  private readonly failed: () => void;

  constructor(source: MediaSource, mime: string, failed: () => void) {
    this.buffer = source.addSourceBuffer(mime);
    this.failed = failed;
    this.buffer.addEventListener("updateend", () => this.next());
    this.buffer.addEventListener("error", failed);
  }

  push(bytes: ArrayBuffer, mime: string | null = null): void {
    if (this.waiting.length >= LANE_MAX) {
      this.failed();
      return;
    }
    this.waiting.push({ bytes, mime });
    this.next();
  }

  trim(beforeS: number): void {
    this.trimS = beforeS;
    this.next();
  }

  private next(): void {
    if (this.buffer.updating) return;
    try {
      if (this.trimS !== null) {
        const before = this.trimS;
        this.trimS = null;
        this.buffer.remove(0, before);
        return;
      }
      const one = this.waiting.shift();
      if (one === undefined) return;
      if (one.mime !== null) this.buffer.changeType(one.mime);
      this.buffer.appendBuffer(one.bytes);
    } catch {
      this.failed();
    }
  }
}

export class FragmentPlayer {
  readonly state: Signal<Playing> = signal<Playing>("off");
  /** How late the picture is; null: not known (HLS, or nothing yet). */
  readonly latencyMs: Signal<number | null> = signal<number | null>(null);
  readonly isPicture = signal(true);
  readonly height = signal(0);
  private readonly element: HTMLMediaElement;
  private readonly addresses: () => Promise<Addresses | null>;
  private readonly expects: () => boolean | null;
  private held: Piece[] = [];
  private socket: WebSocket | null = null;
  private reader = new FragmentReader();
  private lanes: Lane[] = [];
  private source: MediaSource | null = null;
  private url = "";
  private failures = 0;
  private heardMs = 0;
  private movedMs = 0;
  private atS = -1;
  private again: ReturnType<typeof setTimeout> | null = null;
  private timer: ReturnType<typeof setInterval> | null = null;
  private life = 0;
  private readonly pace: Pace | null;
  private endS = -1;
  private grewMs = 0;
  /** Fragments that the server left out for us since the page was opened. */
  skipped = 0;

  /**
   * `addresses`: asked before each connection, because the token in them is short-lived;
   * `expects`: somebody in the room sends, so silence is a fault; `pace`: where several players
   * stand together.
   */
  constructor(
    element: HTMLMediaElement,
    addresses: () => Promise<Addresses | null>,
    expects: () => boolean | null,
    pace: Pace | null = null,
  ) {
    this.element = element;
    this.addresses = addresses;
    this.expects = expects;
    this.pace = pace;
    element.addEventListener("error", () => {
      if (this.element.getAttribute("src")) this.restart();
    });
  }

  start(): void {
    if (this.state.value !== "off") return;
    this.timer = setInterval(() => this.look(), LOOK_MS);
    void this.join();
  }

  stop(): void {
    this.life += 1;
    if (this.timer !== null) clearInterval(this.timer);
    if (this.again !== null) clearTimeout(this.again);
    this.timer = this.again = null;
    this.let_go();
    this.pace?.leave(this);
    this.state.value = "off";
    this.latencyMs.value = null;
    this.failures = 0;
  }

  /** Network or device is back, or the media process began anew. */
  wake(): void {
    if (this.state.value === "off") return;
    if (this.state.value === "playing" && performance.now() - this.movedMs < LOOK_MS * 4) return;
    this.failures = 0;
    this.restart();
  }

  private let_go(): void {
    this.socket?.close();
    this.socket = null;
    this.source = null;
    this.lanes = [];
    if (this.url !== "") URL.revokeObjectURL(this.url);
    this.url = "";
    if (this.element.getAttribute("src")) {
      this.element.removeAttribute("src");
      this.element.load();
    }
  }

  private restart(): void {
    if (this.state.value === "off" || this.again !== null) return;
    this.life += 1;
    this.let_go();
    this.failures += 1;
    this.state.value = "again";
    this.again = setTimeout(
      () => {
        this.again = null;
        void this.join();
      },
      retryDelay(this.failures, Math.random()),
    );
  }

  private async join(): Promise<void> {
    const life = ++this.life;
    if (this.state.value !== "again") this.state.value = "joining";
    this.heardMs = this.movedMs = performance.now();
    let found: Addresses | null = null;
    try {
      found = await this.addresses();
    } catch {
      // asked again
    }
    if (life !== this.life) return;
    if (found === null) {
      this.restart();
      return;
    }
    const made = mediaSource();
    if (made === null || !made.isTypeSupported('video/mp4; codecs="avc1.42E01F"')) {
      this.element.src = found.hls;
      void this.element.play().catch(() => {});
      return;
    }
    const socket = new WebSocket(new URL(found.live, location.href));
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.reader = new FragmentReader();
    socket.onmessage = ({ data }) => {
      if (this.socket === socket && data instanceof ArrayBuffer) this.take(data);
    };
    socket.onclose = ({ code }) => {
      if (this.socket !== socket) return;
      if (code === CLOSE_NOT_ALLOWED) this.failures = Math.max(this.failures, 4);
      this.restart();
    };
  }

  private take(message: ArrayBuffer): void {
    this.heardMs = performance.now();
    let pieces: readonly Piece[];
    const { skipped } = this.reader;
    try {
      pieces = this.reader.read(message);
    } catch {
      this.restart();
      return;
    }
    this.skipped += this.reader.skipped - skipped;
    for (const piece of pieces) this.play(piece);
  }

  private play(piece: Piece): void {
    if (piece.kind === "begin") {
      this.begin(piece);
      return;
    }
    const lane = this.lanes[piece.stream];
    if (lane === undefined) {
      this.held.push(piece); // its source is not open yet
      return;
    }
    if (piece.kind === "format") lane.push(piece.init, piece.mime);
    else lane.push(piece.bytes);
  }

  private begin(piece: Extract<Piece, { kind: "begin" }>): void {
    const Source = mediaSource();
    if (Source === null) return;
    const source = new Source();
    this.lanes = [];
    this.held = [];
    this.source = source;
    this.isPicture.value = this.reader.kinds.includes("video");
    source.addEventListener("sourceopen", () => {
      if (this.source !== source) return;
      try {
        const lanes = piece.streams.map(({ mime }) => new Lane(source, mime, () => this.restart()));
        piece.streams.forEach(({ init }, at) => {
          lanes[at]?.push(init);
        });
        this.lanes = lanes;
      } catch {
        this.restart();
        return;
      }
      const held = this.held;
      this.held = [];
      for (const one of held) this.play(one);
    });
    if (this.url !== "") URL.revokeObjectURL(this.url);
    this.url = URL.createObjectURL(source);
    this.element.disableRemotePlayback = true; // else Apple's managed source does not open
    this.element.src = this.url;
    void this.element.play().catch(() => {});
  }

  private look(): void {
    const now = performance.now();
    const { element } = this;
    const ranges: [number, number][] = [];
    for (let at = 0; at < element.buffered.length; at += 1) {
      ranges.push([element.buffered.start(at), element.buffered.end(at)]);
    }
    if (this.source !== null) {
      const { seekS, rate, trimS } = this.standing(ranges, now);
      if (seekS !== null) element.currentTime = seekS;
      if (element.playbackRate !== rate) element.playbackRate = rate;
      if (trimS !== null) for (const lane of this.lanes) lane.trim(trimS);
      if (element.paused && ranges.length > 0) void element.play().catch(() => {});
    }
    const hasMoved = Math.abs(element.currentTime - this.atS) > 0.01 && element.readyState >= 2;
    this.atS = element.currentTime;
    if (hasMoved) this.moved(now);
    this.judge(now);
  }

  private standing(ranges: readonly [number, number][], now: number): Standing {
    const { currentTime } = this.element;
    const { zeroMs } = this.reader;
    const endS = ranges.at(-1)?.[1];
    if (this.pace === null || zeroMs === null || endS === undefined) {
      return follow(ranges, currentTime);
    }
    if (endS !== this.endS) {
      this.endS = endS;
      this.grewMs = now;
      this.pace.say(this, clock.now() - zeroMs - endS * 1000);
    } else if (now - this.grewMs > WAITING_MS) {
      this.pace.leave(this);
    }
    return keepPace(ranges, currentTime, (clock.now() - this.pace.aimMs - zeroMs) / 1000);
  }

  private moved(now: number): void {
    this.movedMs = now;
    this.state.value = "playing";
    this.failures = 0;
    const { zeroMs } = this.reader;
    const { element } = this;
    this.height.value = element instanceof HTMLVideoElement ? element.videoHeight : 0;
    this.latencyMs.value =
      zeroMs === null || this.socket === null
        ? null
        : Math.max(0, clock.now() - (zeroMs + element.currentTime * 1000));
  }

  /** Nothing comes, or it comes and does not play: again. */
  private judge(now: number): void {
    const still = now - this.movedMs;
    const silent = now - this.heardMs;
    const { value } = this.state;
    if (this.again !== null || value === "off") return;
    if (value === "playing" && still > WAITING_MS) this.state.value = "waiting";
    const isConnected = this.socket === null || this.socket.readyState === WebSocket.OPEN;
    if (!isConnected && silent > JOIN_MS_MAX) {
      this.restart();
      return;
    }
    const expects = this.expects();
    // With nobody sending, an open socket that says nothing is all right.
    if (expects === false) {
      this.heardMs = this.movedMs = now;
      return;
    }
    const isComing = value === "playing" || value === "waiting";
    const patience = expects === null ? DOUBT_MS : isComing ? STILL_MS : JOIN_MS_MAX;
    if (still > (this.socket === null ? Math.max(patience, HLS_MS) : patience)) this.restart();
  }
}

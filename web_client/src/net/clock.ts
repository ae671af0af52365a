/**
 * The server's time on this device (对时): minimum round-trip samples over a monotonic clock.
 *
 * Invariant: `now()` never depends on the device's wall clock once one sample is there, never runs
 * backwards by a correction below half a second, and is off by at most half the best round trip.
 */

const SAMPLES_MAX = 16;
const STEP_MS = 500;
const SLEW_MS_PER_S = 50;
/** How far wall and monotonic clock may drift apart before we believe that the device slept. */
const SLEPT_MS = 1500;

interface Sample {
  readonly rttMs: number;
  readonly offsetMs: number;
}

export interface ClockSources {
  readonly monotonic: () => number;
  readonly wall: () => number;
}

export class ServerClock {
  private samples: Sample[] = [];
  private applied: number | null = null;
  private target = 0;
  private slewedAt = 0;
  private wallMinusMonotonic: number;
  private readonly sources: ClockSources;

  constructor(sources: ClockSources = { monotonic: () => performance.now(), wall: Date.now }) {
    this.sources = sources;
    this.wallMinusMonotonic = sources.wall() - sources.monotonic();
  }

  /** An answer that left the server at `serverMs`, asked at `t0`, here at `t1` (monotonic). */
  sample(t0: number, t1: number, serverMs: number): void {
    if (t1 < t0) return;
    this.samples.push({ rttMs: t1 - t0, offsetMs: serverMs - (t0 + t1) / 2 });
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
    const best = this.best() as Sample;
    this.slew();
    this.target = best.offsetMs;
    if (this.applied === null || Math.abs(this.target - this.applied) > STEP_MS) {
      this.applied = this.target;
    }
  }

  /** A one-way hint (a frame's server_ms): good enough until the first round trip. */
  hint(serverMs: number): void {
    if (this.samples.length === 0 && this.applied === null) {
      this.applied = this.target = serverMs - this.sources.monotonic();
    }
  }

  /** UTC ms of the server, now. Before any sample: the device's wall clock. */
  now(): number {
    if (this.applied === null) return this.sources.wall();
    this.slew();
    return this.sources.monotonic() + this.applied;
  }

  get isSynchronised(): boolean {
    return this.samples.length > 0;
  }

  /** Half the best round trip in ms: how far `now()` can be off; null before the first sample. */
  get errorMs(): number | null {
    const best = this.best();
    return best ? best.rttMs / 2 : null;
  }

  get rttMs(): number | null {
    return this.samples.at(-1)?.rttMs ?? null;
  }

  /** How much the device's wall clock is ahead of the server (negative: slow). */
  get deviceAheadMs(): number {
    return this.applied === null ? 0 : this.sources.wall() - this.now();
  }

  /**
   * True once after the device slept: old samples are worthless then, and are dropped.
   *
   * The monotonic clock of some systems stands still in sleep. Until fresh samples are here, the
   * wall clock's jump forward is a better guess than a countdown that lost minutes.
   */
  slept(): boolean {
    const difference = this.sources.wall() - this.sources.monotonic();
    const jump = difference - this.wallMinusMonotonic;
    this.wallMinusMonotonic = difference;
    if (Math.abs(jump) < SLEPT_MS) return false;
    if (this.applied !== null && jump > 0) this.applied += jump;
    this.target = this.applied ?? 0;
    this.samples = [];
    return true;
  }

  private best(): Sample | undefined {
    return this.samples.reduce<Sample | undefined>(
      (best, sample) => (best && best.rttMs <= sample.rttMs ? best : sample),
      undefined,
    );
  }

  private slew(): void {
    const now = this.sources.monotonic();
    const most = (SLEW_MS_PER_S * Math.max(0, now - this.slewedAt)) / 1000;
    this.slewedAt = now;
    if (this.applied === null) return;
    const gap = this.target - this.applied;
    this.applied += Math.sign(gap) * Math.min(Math.abs(gap), most);
  }
}

/**
 * Two loops that wait for each other: pausing, giving up, and waking.
 *
 * Invariant: once one loop failed or the job was cancelled, the other never goes on waiting; the
 * first reason is the one that both end with.
 */
import { Rejected } from "./errors.ts";

export class Turns {
  private waiting: (() => void)[] = [];
  private failure: unknown;
  private hasFailed = false;
  private paused = false;
  private request = new AbortController();

  get isPaused(): boolean {
    return this.paused;
  }

  /** Aborts when the job is paused or given up; a new one is made when it goes on. */
  get signal(): AbortSignal {
    return this.request.signal;
  }

  pause(): void {
    this.paused = true;
    this.request.abort();
    this.wake();
  }

  resume(): void {
    // A new signal would leave requests under way that nobody can abort any more.
    if (this.hasFailed || !this.paused) return;
    this.paused = false;
    this.request = new AbortController();
    this.wake();
  }

  cancel(): void {
    this.fail(new Rejected("seal.cancelled"));
  }

  fail(reason: unknown): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.failure = reason;
    this.request.abort();
    this.wake();
  }

  /** Something changed that somebody may be waiting for. */
  wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Wait until the job is not paused and `condition` holds; rejects once the job failed. */
  async until(condition: () => boolean): Promise<void> {
    for (;;) {
      if (this.hasFailed) throw this.failure;
      if (!this.paused && condition()) return;
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
      });
    }
  }

  /** A loop's promise; its failure ends the other loop too. */
  async guard<Value>(loop: Promise<Value>): Promise<Value> {
    try {
      return await loop;
    } catch (error) {
      this.fail(error);
      throw this.failure;
    }
  }
}

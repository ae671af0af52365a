/**
 * The page's end of the sealing worker: starts it, speaks to it, ends it.
 *
 * Invariant: one worker, one job. `end()` stops the thread and with it the memory that held the
 * seed; a page calls it after `done` or `failed`.
 */
import type { SealCommand, SealReport } from "./seal_protocol.ts";

export class SealClient {
  private readonly worker: Worker;

  constructor(hear: (report: SealReport) => void) {
    this.worker = new Worker(new URL("./seal_worker.ts", import.meta.url), {
      type: "module",
      name: "seal",
    });
    this.worker.onmessage = ({ data }: MessageEvent<SealReport>) => hear(data);
    // A worker that could not be loaded says nothing by itself.
    this.worker.onerror = () => hear({ kind: "failed", code: "seal.trouble", stored_id: null });
  }

  tell(command: SealCommand): void {
    this.worker.postMessage(command);
  }

  end(): void {
    this.worker.terminate();
  }
}

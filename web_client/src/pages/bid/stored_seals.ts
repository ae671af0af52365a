/**
 * What this device's disk holds of sealed envelopes (本机密文): listing it, and letting go of it.
 *
 * Invariant: only what nobody needs any more is removed: the caller says which. What a worker is
 * busy with is never listed, and so never removed.
 */
import type { SealCommand, SealReport, StoredSeal } from "../../crypto/seal_protocol.ts";

/** Removes what `isOver` picks; answers what is left, or nothing where the disk cannot be read. */
export async function keepStored(
  isOver: (seal: StoredSeal) => boolean,
): Promise<readonly StoredSeal[]> {
  const worker = new Worker(new URL("../../crypto/seal_worker.ts", import.meta.url), {
    type: "module",
  });
  try {
    const seals = await asked(worker, { kind: "list_stored" });
    // One after the other: the worker lists the folder after each.
    for (const { id } of seals.filter(isOver)) await asked(worker, { kind: "drop_stored", id });
    return seals.filter((seal) => !isOver(seal));
  } finally {
    worker.terminate();
  }
}

function asked(worker: Worker, command: SealCommand): Promise<readonly StoredSeal[]> {
  return new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<SealReport>) =>
      resolve(data.kind === "stored" ? data.seals : []);
    worker.onerror = () => resolve([]);
    worker.postMessage(command);
  });
}

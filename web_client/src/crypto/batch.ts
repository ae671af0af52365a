/**
 * The batch tree of one second of the site log (C13), seen by somebody who holds one proof.
 *
 * Invariant: the tree is always 16 levels deep, so a path says nothing about how many entries the
 * second had. Slot bit h, counted from the lowest, says whether the node at height h is the right
 * child. The root becomes the data of exactly one leaf of the site tree.
 */
import { type Bytes, u8, u64 } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import { leafHash, nodeHash } from "./merkle.ts";

export const BATCH_DEPTH = 16;

/** The batch root that an entry's raw bytes lead to. */
export function batchRoot(entry: Uint8Array, slot: number, siblings: readonly Uint8Array[]): Bytes {
  const slotOk = Number.isSafeInteger(slot) && slot >= 0 && slot < 1 << BATCH_DEPTH;
  if (!slotOk) throw new Rejected("proof.slot");
  if (siblings.length !== BATCH_DEPTH) throw new Rejected("proof.length");
  if (siblings.some((node) => node.length !== 32)) throw new Rejected("proof.hash");
  let node = leafHash(entry);
  for (const [height, sibling] of siblings.entries()) {
    const isRight = ((slot >> height) & 1) === 1;
    node = isRight ? nodeHash(sibling, node) : nodeHash(node, sibling);
  }
  return node;
}

/** Leaf hash of the site tree for one second (data 01 ‖ u64 tick_ms ‖ batch_root). */
export function siteLeaf(tickMs: number, root: Uint8Array): Bytes {
  const data = new Uint8Array(41);
  data.set(u8(1), 0);
  data.set(u64(tickMs), 1);
  data.set(root, 9);
  return leafHash(data);
}

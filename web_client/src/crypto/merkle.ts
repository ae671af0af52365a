/**
 * RFC 6962 trees over SHA-256: roots, inclusion and consistency.
 *
 * Invariant: a leaf hash begins with 00 and a node hash with 01, so no node passes for a leaf.
 * Sizes and indexes come from outside: they are handled as BigInt inside, never shifted as
 * 32-bit integers, and a path of the wrong length is refused before hashing more than 64 nodes.
 */
import { type Bytes, equal } from "./bytes.ts";
import { assert, Rejected } from "./errors.ts";
import { sha256 } from "./hashes.ts";

const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);
const PATH_MAX = 64;

export const leafHash = (data: Uint8Array): Bytes => sha256(LEAF, data);
export const nodeHash = (left: Uint8Array, right: Uint8Array): Bytes => sha256(NODE, left, right);

/** Largest power of two smaller than `size` (size >= 2). */
function split(size: number): number {
  let half = 1;
  while (half * 2 < size) half *= 2;
  return half;
}

/** Root over leaf hashes; SHA-256 of nothing for an empty list. */
export function merkleRoot(leaves: readonly Uint8Array[]): Bytes {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return new Uint8Array(leaves[0] as Uint8Array);
  const half = split(leaves.length);
  return nodeHash(merkleRoot(leaves.slice(0, half)), merkleRoot(leaves.slice(half)));
}

/** Siblings from leaf `index` up to the root. */
export function inclusionPath(leaves: readonly Uint8Array[], index: number): Bytes[] {
  assert(index >= 0 && index < leaves.length, "an index inside the tree");
  if (leaves.length === 1) return [];
  const half = split(leaves.length);
  return index < half
    ? [...inclusionPath(leaves.slice(0, half), index), merkleRoot(leaves.slice(half))]
    : [...inclusionPath(leaves.slice(half), index - half), merkleRoot(leaves.slice(0, half))];
}

/** The root that `leaf` at `index` of a tree of `size` leads to (RFC 9162 2.1.3.2). */
export function rootFromPath(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Bytes {
  const ok =
    Number.isSafeInteger(index) && Number.isSafeInteger(size) && 0 <= index && index < size;
  if (!ok) throw new Rejected("proof.index");
  if (leaf.length !== 32 || path.some((node) => node.length !== 32))
    throw new Rejected("proof.hash");
  if (path.length > PATH_MAX) throw new Rejected("proof.length");
  let fn = BigInt(index);
  let sn = BigInt(size) - 1n;
  let root = new Uint8Array(leaf);
  for (const sibling of path) {
    if (sn === 0n) throw new Rejected("proof.length");
    if (fn % 2n === 1n || fn === sn) {
      root = nodeHash(sibling, root);
      while (fn % 2n === 0n && fn !== 0n) {
        fn /= 2n;
        sn /= 2n;
      }
    } else {
      root = nodeHash(root, sibling);
    }
    fn /= 2n;
    sn /= 2n;
  }
  if (sn !== 0n) throw new Rejected("proof.length");
  return root;
}

/**
 * Refuse unless `path` shows that the tree `grown` begins with the tree `old` (RFC 9162 2.1.4.2).
 *
 * Codes: `proof.index` (sizes), `proof.hash`, `proof.length`, `proof.root` (another root).
 */
export function checkConsistency(
  old: { size: number; root: Uint8Array },
  grown: { size: number; root: Uint8Array },
  path: readonly Uint8Array[],
): void {
  const sizesOk = Number.isSafeInteger(old.size) && Number.isSafeInteger(grown.size);
  if (!sizesOk || old.size < 1 || old.size > grown.size) throw new Rejected("proof.index");
  if ([old.root, grown.root, ...path].some((node) => node.length !== 32)) {
    throw new Rejected("proof.hash");
  }
  if (old.size === grown.size) {
    if (path.length > 0) throw new Rejected("proof.length");
    if (!equal(old.root, grown.root)) throw new Rejected("proof.root");
    return;
  }
  if (path.length > PATH_MAX) throw new Rejected("proof.length");
  let fn = BigInt(old.size) - 1n;
  let sn = BigInt(grown.size) - 1n;
  while (fn % 2n === 1n) {
    fn /= 2n;
    sn /= 2n;
  }
  // A power of two is a whole subtree: its root is the first node, and the path leaves it out.
  const nodes = fn === 0n ? [old.root, ...path] : path;
  const first = nodes[0];
  if (first === undefined) throw new Rejected("proof.length");
  let oldRoot: Uint8Array = first;
  let newRoot: Uint8Array = first;
  for (const node of nodes.slice(1)) {
    if (sn === 0n) throw new Rejected("proof.length");
    if (fn % 2n === 1n || fn === sn) {
      oldRoot = nodeHash(node, oldRoot);
      newRoot = nodeHash(node, newRoot);
      while (fn % 2n === 0n && fn !== 0n) {
        fn /= 2n;
        sn /= 2n;
      }
    } else {
      newRoot = nodeHash(newRoot, node);
    }
    fn /= 2n;
    sn /= 2n;
  }
  if (sn !== 0n) throw new Rejected("proof.length");
  if (!equal(oldRoot, old.root) || !equal(newRoot, grown.root)) throw new Rejected("proof.root");
}

/**
 * KDRAW1 (sealing.md §6, C12): numbers and choices that follow from a seed nobody could steer.
 *
 * Invariant: everything is a function of the manifest hash, the parts, the beacon and a label of
 * the manifest. Every block tried is consumed, refused or not; a screen replays this, it never
 * decides. x is a 64-bit integer and therefore a BigInt.
 */
import { type Bytes, Reader, u32, u64, utf8 } from "./bytes.ts";
import { Rejected } from "./errors.ts";
import { label, sha256 } from "./hashes.ts";

const LABEL = /^[a-z0-9.-]{1,64}$/;
const PARTS_MAX = 65_536;
const CANDIDATES_MAX = 65_536;

/** The seed of one draw manifest; `parts` sorted as C12 says, `beacon` empty for "none". */
export function drawSeed(
  manifestHash: Uint8Array,
  parts: readonly Uint8Array[],
  beacon: Uint8Array,
): Bytes {
  if (parts.length > PARTS_MAX) throw new Rejected("draw.parts");
  const hashed = parts.map((part) => sha256(part));
  return sha256(label("KDRAW1 seed"), manifestHash, u32(parts.length), ...hashed, sha256(beacon));
}

/** One step of a draw: block `i` gave `index` among `n` (for the replay on screens). */
export interface DrawStep {
  readonly i: number;
  readonly n: number;
  readonly index: number;
}

/** The stream of numbers that belongs to one label under one seed. */
export class DrawStream {
  readonly steps: DrawStep[] = [];
  private readonly key: Bytes;
  private block = 0;

  constructor(seed: Uint8Array, name: string) {
    if (!LABEL.test(name)) throw new Rejected("draw.label");
    this.key = sha256(label("KDRAW1 stream"), seed, utf8(name));
  }

  /** A number 0 <= x < n, each as likely as any other. */
  below(n: number): number {
    if (!Number.isSafeInteger(n) || n < 1) throw new Rejected("draw.range");
    const size = BigInt(n);
    const limit = ((1n << 64n) / size) * size;
    for (;;) {
      const i = this.block++;
      const x = new Reader(sha256(this.key, u64(i))).big(8);
      if (x >= limit) continue;
      const index = Number(x % size);
      this.steps.push({ i, n, index });
      return index;
    }
  }

  /** The first `k` of the candidates in drawn order (partial Fisher-Yates). */
  choose(candidates: readonly string[], k: number): string[] {
    const pool = sortedCandidates(candidates);
    if (!Number.isSafeInteger(k) || k < 0 || k > pool.length) throw new Rejected("draw.range");
    for (let i = 0; i < k; i++) {
      const j = i + this.below(pool.length - i);
      const drawn = pool[j] as string;
      pool[j] = pool[i] as string;
      pool[i] = drawn;
    }
    return pool.slice(0, k);
  }
}

/** ASCII ids sort by their bytes in JavaScript's own order too. */
function sortedCandidates(candidates: readonly string[]): string[] {
  const areDistinct = new Set(candidates).size === candidates.length;
  if (candidates.length > CANDIDATES_MAX || !areDistinct) throw new Rejected("draw.candidates");
  if (!candidates.every((candidate) => isAscii(candidate))) throw new Rejected("draw.candidates");
  return [...candidates].sort();
}

function isAscii(text: string): boolean {
  return text !== "" && [...text].every((character) => character < "\u0080");
}

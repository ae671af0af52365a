/**
 * Signing keys (Ed25519), box keys (X25519) and the browser's randomness.
 *
 * Invariant: this is the only file that draws random bytes, and the only judge of Ed25519
 * signatures. The verdict is that of C16: S < L, A and R canonical points of the prime-order
 * group, S·B = R + h·A without cofactor. libsodium decides so once A is a checked key.
 */
import { type Bytes, hex } from "./bytes.ts";
import { assert } from "./errors.ts";
import { sodium } from "./sodium.ts";

const FIELD_PRIME = (1n << 255n) - 19n;
/** u of every point of order 1, 2, 4 or 8, on the curve and on its twist. */
const LOW_ORDER: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  0x00b8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebe0n,
  0x57119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c5fn,
  FIELD_PRIME - 1n,
]);

export function randomBytes(size: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(size));
}

/** A seed of 32 bytes and what follows from it; the secret stays inside. */
export class SigningKey {
  readonly seed: Bytes;
  readonly public: Bytes;
  private readonly secret: Uint8Array;

  constructor(seed: Uint8Array) {
    assert(seed.length === 32, "a signing seed has 32 bytes");
    const pair = sodium().crypto_sign_seed_keypair(seed);
    this.seed = new Uint8Array(seed);
    this.public = pair.publicKey as Bytes;
    this.secret = pair.privateKey;
  }

  static generate(): SigningKey {
    return new SigningKey(randomBytes(32));
  }

  sign(message: Uint8Array): Bytes {
    return sodium().crypto_sign_detached(message, this.secret) as Bytes;
  }
}

const judged = new Map<string, boolean>();
const JUDGED_MAX = 8192;

/**
 * Is this a canonical encoding of a point of the prime-order group, not the identity?
 *
 * The point check costs about as much as one verification, so the verdict on a key is remembered.
 */
export function isValidPublic(key: Uint8Array): boolean {
  if (key.length !== 32) return false;
  const name = hex(key);
  let verdict = judged.get(name);
  if (verdict === undefined) {
    if (judged.size >= JUDGED_MAX) judged.clear();
    verdict = sodium().crypto_core_ed25519_is_valid_point(key);
    judged.set(name, verdict);
  }
  return verdict;
}

/** C16. `key` itself is judged too, so that a caller cannot forget it. */
export function verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64 || !isValidPublic(key)) return false;
  return sodium().crypto_sign_verify_detached(signature, message, key);
}

/** An X25519 pair from a seed of 32 bytes, as libsodium's crypto_box_seed_keypair makes it. */
export class BoxKey {
  readonly seed: Bytes;
  readonly secret: Bytes;
  readonly public: Bytes;

  constructor(seed: Uint8Array) {
    assert(seed.length === 32, "a box seed has 32 bytes");
    const pair = sodium().crypto_box_seed_keypair(seed);
    this.seed = new Uint8Array(seed);
    this.secret = pair.privateKey as Bytes;
    this.public = pair.publicKey as Bytes;
  }

  static generate(): BoxKey {
    return new BoxKey(randomBytes(32));
  }
}

/** Canonical (below 2^255-19) and not of low order, which would give the zero secret (C16). */
export function isValidBoxPublic(key: Uint8Array): boolean {
  if (key.length !== 32) return false;
  const u = BigInt(`0x${hex(new Uint8Array(key).reverse())}`);
  return u < FIELD_PRIME && !LOW_ORDER.has(u);
}

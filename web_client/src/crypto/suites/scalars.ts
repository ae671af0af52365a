/**
 * Shamir's sharing (门限秘密共享) over the scalars of Ed25519, in the encodings a suite chooses.
 *
 * Invariant: a scalar is little-endian, below L, and padded with zero bytes to the size of its
 * encoding; anything else is not canonical and is refused before it is used (C4). Secret
 * arithmetic runs in libsodium; only the public coefficients of Lagrange are BigInts.
 */
import { type Bytes, concat, uint } from "../bytes.ts";
import { assert } from "../errors.ts";
import { sodium } from "../sodium.ts";

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const SCALAR = 32;

const factorsOf = new Map<string, Bytes[]>();

function little(value: bigint): Bytes {
  return uint(value, SCALAR).reverse();
}

function fromLittle(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of new Uint8Array(bytes).reverse()) value = (value << 8n) | BigInt(byte);
  return value;
}

function mod(value: bigint): bigint {
  return ((value % ORDER) + ORDER) % ORDER;
}

/** value^(L-2) mod L: the inverse of a public, non-zero number. */
function inverse(value: bigint): bigint {
  let result = 1n;
  let base = mod(value);
  for (let exponent = ORDER - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % ORDER;
    base = (base * base) % ORDER;
  }
  return result;
}

/** The factors that turn shares at these positions into f(0); at most C(9, t) subsets exist. */
function lagrange(positions: readonly number[]): Bytes[] {
  const name = positions.join(",");
  const known = factorsOf.get(name);
  if (known !== undefined) return known;
  const factors = positions.map((i) => {
    const others = positions.filter((j) => j !== i).map(BigInt);
    const above = others.reduce((product, j) => mod(product * j), 1n);
    const below = others.reduce((product, j) => mod(product * (j - BigInt(i))), 1n);
    return little(mod(above * inverse(below)));
  });
  factorsOf.set(name, factors);
  return factors;
}

/** Scalars encoded in `halfSize` bytes as host halves and in `shareSize` bytes as shares. */
export class Scalars {
  private readonly halfSize: number;
  private readonly shareSize: number;

  constructor(halfSize: number, shareSize: number) {
    assert(halfSize >= SCALAR && shareSize >= SCALAR, "room for a scalar");
    this.halfSize = halfSize;
    this.shareSize = shareSize;
  }

  /** 64 uniform bytes (little-endian) mod L, as a host half. */
  reduce = (wide: Uint8Array): Bytes =>
    padded(sodium().crypto_core_ed25519_scalar_reduce(wide), this.halfSize);

  isHostHalf = (half: Uint8Array): boolean => {
    if (half.length !== this.halfSize) return false;
    const value = fromLittle(half);
    return value > 0n && value < ORDER;
  };

  /** Zero is a lawful value of a polynomial. */
  isShare = (share: Uint8Array): boolean =>
    share.length === this.shareSize && fromLittle(share) < ORDER;

  /** f(i) by Horner's rule. */
  shareAt = (coefficients: readonly Uint8Array[], i: number): Bytes => {
    const position = little(BigInt(i));
    let value: Uint8Array = new Uint8Array(SCALAR);
    for (const coefficient of [...coefficients].reverse()) {
      const product = sodium().crypto_core_ed25519_scalar_mul(value, position);
      const scalar = coefficient.slice(0, SCALAR);
      value = sodium().crypto_core_ed25519_scalar_add(product, scalar);
    }
    return padded(value, this.shareSize);
  };

  combine = (positions: readonly number[], shares: readonly Uint8Array[]): Bytes => {
    assert(positions.length === shares.length, "a share for each position");
    let total: Uint8Array = new Uint8Array(SCALAR);
    for (const [at, factor] of lagrange(positions).entries()) {
      const share = (shares[at] as Uint8Array).slice(0, SCALAR);
      const product = sodium().crypto_core_ed25519_scalar_mul(factor, share);
      total = sodium().crypto_core_ed25519_scalar_add(total, product);
    }
    return padded(total, this.halfSize);
  };
}

function padded(scalar: Uint8Array, size: number): Bytes {
  return concat(scalar, new Uint8Array(size - SCALAR));
}

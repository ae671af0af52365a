/**
 * Suite 0xFF01 "odd-sizes": for tests only; every size that may differ from nacl-1 does differ.
 *
 * It exists so that whoever hard-codes an offset, a key length or a primitive is caught, and no
 * tender may name it. Definition, the same as in the Python package:
 * - expand: T_i = HMAC-SHA-512(key, u8 i ‖ u16 size ‖ label ‖ 00 ‖ data), i = 1, 2, ... joined and
 *   cut; signed body and inner hash of c_P: SHA-512; ct_root: SHA-512 cut to 32.
 * - chunk cipher: XChaCha20-Poly1305 under key[0:32], then a second tag BLAKE2b-128(nonce ‖
 *   ciphertext and first tag) under key[32:64].
 * - box: epk 32 ‖ nonce 24 ‖ crypto_box_easy, nonce = SHA-512(epk ‖ pk)[0:24], checked on opening.
 * - scalars: as nacl-1, padded with zero bytes to 40 (halves) and 44 (shares).
 */
import { type Bytes, concat, equal, u8, u16 } from "../bytes.ts";
import { blake2b, label } from "../hashes.ts";
import { isValidBoxPublic, verify } from "../keys.ts";
import { sodium } from "../sodium.ts";
import { Scalars } from "./scalars.ts";
import { type Cipher, chunkNonce, type RunningHash, type Suite } from "./suite.ts";

const BLOCK = 64;
const BOX_NONCE = 24;
const CHUNK_NONCE = 24;
const PUBLIC = 32;
const SECOND_TAG = 16;

function sha512(...parts: readonly Uint8Array[]): Bytes {
  return sodium().crypto_hash_sha512(concat(...parts)) as Bytes;
}

const expand: Suite["expand"] = (name, parts, { key = new Uint8Array(0), size }) => {
  const blocks: Uint8Array[] = [];
  for (let counter = 1; counter <= Math.ceil(size / BLOCK); counter++) {
    const state = sodium().crypto_auth_hmacsha512_init(key);
    const data = concat(u8(counter), u16(size), label(name), ...parts);
    sodium().crypto_auth_hmacsha512_update(state, data);
    blocks.push(sodium().crypto_auth_hmacsha512_final(state));
  }
  return concat(...blocks).slice(0, size);
};

class RunningSha512 implements RunningHash {
  private readonly state = sodium().crypto_hash_sha512_init();

  update(data: Uint8Array): void {
    sodium().crypto_hash_sha512_update(this.state, data);
  }

  digest(): Bytes {
    return sodium().crypto_hash_sha512_final(this.state) as Bytes;
  }
}

class ChunkCipher implements Cipher {
  private readonly first: Uint8Array;
  private readonly second: Uint8Array;

  constructor(key: Uint8Array) {
    this.first = key.slice(0, 32);
    this.second = key.slice(32);
  }

  private tag(nonce: Uint8Array, sealed: Uint8Array): Bytes {
    return blake2b([nonce, sealed], SECOND_TAG, this.second);
  }

  seal(index: number, last: boolean, plaintext: Uint8Array): Bytes {
    const nonce = chunkNonce(index, last, CHUNK_NONCE);
    const sealed = sodium().crypto_aead_xchacha20poly1305_ietf_encrypt(
      plaintext,
      null,
      null,
      nonce,
      this.first,
    );
    return concat(sealed, this.tag(nonce, sealed));
  }

  open(index: number, last: boolean, ciphertext: Uint8Array): Bytes | null {
    const nonce = chunkNonce(index, last, CHUNK_NONCE);
    const sealed = ciphertext.slice(0, Math.max(0, ciphertext.length - SECOND_TAG));
    if (!equal(ciphertext.subarray(sealed.length), this.tag(nonce, sealed))) return null;
    try {
      return sodium().crypto_aead_xchacha20poly1305_ietf_decrypt(
        null,
        sealed,
        null,
        nonce,
        this.first,
      ) as Bytes;
    } catch {
      return null;
    }
  }
}

function boxNonce(ephemeralPublic: Uint8Array, key: Uint8Array): Bytes {
  return sha512(ephemeralPublic, key).slice(0, BOX_NONCE);
}

function boxSeal(message: Uint8Array, key: Uint8Array, ephemeral: Uint8Array): Bytes {
  const ephemeralPublic = sodium().crypto_scalarmult_base(ephemeral);
  const nonce = boxNonce(ephemeralPublic, key);
  return concat(ephemeralPublic, nonce, sodium().crypto_box_easy(message, nonce, key, ephemeral));
}

function boxOpen(box: Uint8Array, key: Uint8Array, secret: Uint8Array): Bytes | null {
  const ephemeralPublic = box.slice(0, PUBLIC);
  const nonce = box.slice(PUBLIC, PUBLIC + BOX_NONCE);
  if (!equal(nonce, boxNonce(ephemeralPublic, key))) return null;
  try {
    const sealed = box.slice(PUBLIC + BOX_NONCE);
    return sodium().crypto_box_open_easy(sealed, nonce, ephemeralPublic, secret) as Bytes;
  } catch {
    return null;
  }
}

const scalars = new Scalars(40, 44);

export const ODD_SIZES: Suite = {
  id: 0xff01,
  name: "odd-sizes",
  sizes: {
    seed: 48,
    bidderHalf: 48,
    hostHalf: 40,
    share: 44,
    ad: 40,
    commitment: 40,
    root: 32,
    bidId: 32,
    bidNonce: 24,
    signPublic: 32,
    signature: 64,
    boxPublic: 32,
    boxOverhead: 72,
    key: 64,
    tag: 32,
    blind: 48,
    ephemeral: 32,
    wide: 64,
    cardCheck: 8,
  },
  expand,
  treeHash: (...parts) => sha512(...parts).slice(0, 32),
  plaintextHash: () => new RunningSha512(),
  cipher: (key) => new ChunkCipher(key),
  signedMessage: (name, body) => concat(label(name), sha512(body)),
  verify,
  isBoxPublic: isValidBoxPublic,
  boxSeal,
  boxOpen,
  reduce: scalars.reduce,
  isHostHalf: scalars.isHostHalf,
  isShare: scalars.isShare,
  shareAt: scalars.shareAt,
  combine: scalars.combine,
};

/**
 * Suite 0x0001 "nacl-1": BLAKE2b, ChaCha20-Poly1305, X25519 sealed boxes, Ed25519 (4.2).
 *
 * Invariant: these sizes give exactly the offsets of sealing.md 4.2, 4.3 and C8-C11. Content keys
 * come from the key schedule and serve one envelope only, so a nonce may be the chunk's number.
 */
import { type Bytes, concat } from "../bytes.ts";
import { blake2b, blake2b512, label, labelled, RunningBlake2b, sha256 } from "../hashes.ts";
import { isValidBoxPublic, verify } from "../keys.ts";
import { sodium } from "../sodium.ts";
import { Scalars } from "./scalars.ts";
import { type Cipher, chunkNonce, type Suite } from "./suite.ts";

const BOX_NONCE = 24;
const CHUNK_NONCE = 12;

class ChunkCipher implements Cipher {
  private readonly key: Uint8Array;

  constructor(key: Uint8Array) {
    this.key = key;
  }

  seal(index: number, last: boolean, plaintext: Uint8Array): Bytes {
    const nonce = chunkNonce(index, last, CHUNK_NONCE);
    return sodium().crypto_aead_chacha20poly1305_ietf_encrypt(
      plaintext,
      null,
      null,
      nonce,
      this.key,
    ) as Bytes;
  }

  open(index: number, last: boolean, ciphertext: Uint8Array): Bytes | null {
    const nonce = chunkNonce(index, last, CHUNK_NONCE);
    try {
      return sodium().crypto_aead_chacha20poly1305_ietf_decrypt(
        null,
        ciphertext,
        null,
        nonce,
        this.key,
      ) as Bytes;
    } catch {
      return null;
    }
  }
}

/** A libsodium sealed box whose ephemeral secret is given: `dseal` of C2. */
function boxSeal(message: Uint8Array, key: Uint8Array, ephemeral: Uint8Array): Bytes {
  const ephemeralPublic = sodium().crypto_scalarmult_base(ephemeral);
  const nonce = blake2b([ephemeralPublic, key], BOX_NONCE);
  return concat(ephemeralPublic, sodium().crypto_box_easy(message, nonce, key, ephemeral));
}

function boxOpen(box: Uint8Array, key: Uint8Array, secret: Uint8Array): Bytes | null {
  try {
    return sodium().crypto_box_seal_open(box, key, secret) as Bytes;
  } catch {
    return null;
  }
}

const scalars = new Scalars(32, 32);

export const NACL_1: Suite = {
  id: 0x0001,
  name: "nacl-1",
  sizes: {
    seed: 32,
    bidderHalf: 32,
    hostHalf: 32,
    share: 32,
    ad: 32,
    commitment: 32,
    root: 32,
    bidId: 32,
    bidNonce: 16,
    signPublic: 32,
    signature: 64,
    boxPublic: 32,
    boxOverhead: 48,
    key: 32,
    tag: 16,
    blind: 32,
    ephemeral: 32,
    wide: 64,
    cardCheck: 4,
  },
  expand: labelled,
  treeHash: sha256,
  plaintextHash: () => new RunningBlake2b(),
  cipher: (key) => new ChunkCipher(key),
  signedMessage: (name, body) => concat(label(name), blake2b512(body)),
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

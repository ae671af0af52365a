/**
 * The key file `.kbk` (密钥文件): a bidder's two keys of one tender under a passphrase.
 *
 * Invariant: what opens is what was made: the public keys outside the box are compared with the
 * seeds inside, and the cost of Argon2id is the one fixed by format 1, so a hostile file cannot ask
 * for more. A passphrase is taken in Unicode form NFC as UTF-8, so that two keyboards agree.
 */
import { type Bytes, concat, hex, unhex, utf8 } from "./bytes.ts";
import { decode, encode } from "./canonical.ts";
import { decodeDocument, encodeDocument } from "./documents.ts";
import { Rejected } from "./errors.ts";
import { BoxKey, randomBytes, SigningKey } from "./keys.ts";
import { sodium } from "./sodium.ts";

const MEMORY_KIB = 65_536;
const PASSES = 3;
const SALT = 16;
const NONCE = 24;
const PASSPHRASE_BYTES_MAX = 1024;
const CONTENT_MAX = 512;

export interface OpenedKeyFile {
  readonly tender_id: Bytes;
  readonly signing: SigningKey;
  readonly box: BoxKey;
}

/** The file's bytes; salt (16) and nonce (24) are fresh unless a vector fixes them. */
export function createKeyFile(
  passphrase: string,
  keys: { tender_id: Uint8Array; sign_seed: Uint8Array; xpk_seed: Uint8Array },
  fresh: { salt: Uint8Array; nonce: Uint8Array } = {
    salt: randomBytes(SALT),
    nonce: randomBytes(NONCE),
  },
): Bytes {
  const content = encode({
    sign_seed: hex(keys.sign_seed),
    tender_id: hex(keys.tender_id),
    xpk_seed: hex(keys.xpk_seed),
  });
  const secret = derived(passphrase, fresh.salt);
  const box = sodium().crypto_secretbox_easy(content, fresh.nonce, secret);
  return encodeDocument("KeyFile", {
    argon2id: { memory_kib: MEMORY_KIB, passes: PASSES, salt: hex(fresh.salt) },
    box: hex(concat(fresh.nonce, box)),
    format: 1,
    pk: hex(new SigningKey(keys.sign_seed).public),
    xpk: hex(new BoxKey(keys.xpk_seed).public),
  });
}

/**
 * Codes: json.* and object.* (not a key file), keyfile.passphrase_length, keyfile.passphrase (it
 * does not open), keyfile.content, keyfile.keys (they are not the ones named).
 */
export function openKeyFile(raw: Uint8Array, passphrase: string): OpenedKeyFile {
  const document = decodeDocument("KeyFile", raw);
  const box = unhex(document.box);
  const secret = derived(passphrase, unhex(document.argon2id.salt));
  let content: Uint8Array;
  try {
    const sealed = box.slice(NONCE);
    content = sodium().crypto_secretbox_open_easy(sealed, box.slice(0, NONCE), secret);
  } catch {
    throw new Rejected("keyfile.passphrase");
  }
  const seeds = readContent(content);
  const signing = new SigningKey(seeds.sign_seed);
  const boxKey = new BoxKey(seeds.xpk_seed);
  const isSame = hex(signing.public) === document.pk && hex(boxKey.public) === document.xpk;
  if (!isSame) throw new Rejected("keyfile.keys");
  return { tender_id: seeds.tender_id, signing, box: boxKey };
}

function derived(passphrase: string, salt: Uint8Array): Uint8Array {
  if (/\p{Surrogate}/u.test(passphrase)) throw new Rejected("keyfile.passphrase");
  const secret = utf8(passphrase.normalize("NFC"));
  if (secret.length === 0 || secret.length > PASSPHRASE_BYTES_MAX) {
    throw new Rejected("keyfile.passphrase_length");
  }
  const { crypto_pwhash_ALG_ARGON2ID13: algorithm } = sodium();
  return sodium().crypto_pwhash(32, secret, salt, PASSES, MEMORY_KIB * 1024, algorithm);
}

/** The content must be exactly what `createKeyFile` writes. */
function readContent(content: Uint8Array): {
  tender_id: Bytes;
  sign_seed: Bytes;
  xpk_seed: Bytes;
} {
  try {
    const value = decode(content, { sizeMax: CONTENT_MAX, depthMax: 1 });
    const { tender_id, sign_seed, xpk_seed, ...others } = value as Record<string, string>;
    if (Object.keys(others).length > 0) throw new Rejected("object.member_unknown");
    const seed = (text: string | undefined) => unhex(text ?? "", 32, "object.value");
    return { tender_id: seed(tender_id), sign_seed: seed(sign_seed), xpk_seed: seed(xpk_seed) };
  } catch (error) {
    throw new Rejected("keyfile.content", error instanceof Rejected ? error.code : "");
  }
}

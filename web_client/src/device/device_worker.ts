/**
 * The device worker (后台线程): Argon2id for key files, and a trustee's check of every bid.
 *
 * Invariant: one worker, one request; the page ends it with the answer, and with it the memory that
 * held passphrase and seeds.
 */
import type { Bytes } from "../crypto/bytes.ts";
import { Rejected } from "../crypto/errors.ts";
import { createKeyFile, openKeyFile } from "../crypto/keyfile.ts";
import { BoxKey, randomBytes, SigningKey } from "../crypto/keys.ts";
import { parseManifest } from "../crypto/manifest.ts";
import { checkBeforeRelease } from "../crypto/release_check.ts";
import { releaseOf } from "../crypto/releasing.ts";
import { sodiumReady } from "../crypto/sodium.ts";
import type {
  DeviceAnswer,
  DeviceRequest,
  OpenKeys,
  ReleaseAnswer,
  ReleaseAsked,
} from "./protocol.ts";

interface Worker {
  onmessage: ((event: MessageEvent<DeviceRequest>) => void) | null;
  postMessage(answer: DeviceAnswer): void;
}
const worker = self as unknown as Worker;

worker.onmessage = ({ data }) => {
  void answer(data).then(
    (result) => worker.postMessage(result),
    (error) => {
      const code = error instanceof Rejected ? error.code : "page.trouble";
      worker.postMessage({ kind: "failed", code });
      if (!(error instanceof Rejected)) throw error;
    },
  );
};

async function answer(request: DeviceRequest): Promise<DeviceAnswer> {
  await sodiumReady();
  switch (request.kind) {
    case "create_key":
      return createdKey(request.tenderId, request.passphrase);
    case "open_key": {
      const { tender_id, signing, box } = openKeyFile(request.file, request.passphrase);
      const keys = openKeys(signing, box);
      return { kind: "key", tenderId: tender_id, file: request.file, keys };
    }
    case "release":
      return { kind: "release", answer: released(request.asked) };
  }
}

function createdKey(tenderId: Bytes, passphrase: string): DeviceAnswer {
  const signing = SigningKey.generate();
  const box = new BoxKey(randomBytes(32));
  const file = createKeyFile(passphrase, {
    tender_id: tenderId,
    sign_seed: signing.seed,
    xpk_seed: box.seed,
  });
  return { kind: "key", tenderId, file, keys: openKeys(signing, box) };
}

function openKeys(signing: SigningKey, box: BoxKey): OpenKeys {
  return { signSeed: signing.seed, boxSeed: box.seed, pk: signing.public, xpk: box.public };
}

function released(asked: ReleaseAsked): ReleaseAnswer {
  const manifest = parseManifest(asked.manifest);
  const signing = new SigningKey(asked.seeds.signSeed);
  const box = new BoxKey(asked.seeds.boxSeed);
  const verdict = checkBeforeRelease({
    manifest,
    spk: signing.public,
    checkpoint: asked.checkpoint,
    proofs: asked.proofs,
    ...(asked.seenClosing === null ? {} : { seen_closing: asked.seenClosing }),
    windows: asked.windows,
    submits: asked.submits,
    headers: asked.headers,
    halves: asked.halves,
    released: asked.released,
    now_ms: asked.nowMs,
    deadlineConfirmed: asked.deadlineConfirmed,
  });
  const messages =
    verdict.ok && asked.sign
      ? verdict.sets.map((_, at) => releaseOf(verdict, at, { signing, box }).raw)
      : [];
  return {
    checks: verdict.checks,
    ok: verdict.ok,
    shares: verdict.sets.reduce((sum, set) => sum + set.headers.length, 0),
    deadlineMs: verdict.deadline_ms,
    messages,
  };
}

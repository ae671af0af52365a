/**
 * The trustee's desk at work (保管人): notes the closing, checks by itself, releases once.
 *
 * Invariant: the seeds stay in this tab. What this device released is kept before it is sent, so
 * that it never releases one envelope under two nonces, whatever a server asks later.
 */
import { type Signal, signal } from "@preact/signals";
import { ACK_RELEASE } from "../../crypto/ack.ts";
import { type Bytes, hex, unhex } from "../../crypto/bytes.ts";
import { Rejected } from "../../crypto/errors.ts";
import { SigningKey } from "../../crypto/keys.ts";
import { parseManifest } from "../../crypto/manifest.ts";
import { sodiumReady } from "../../crypto/sodium.ts";
import { askDevice } from "../../device/ask.ts";
import { givenTrusteeFile } from "../../device/given_keys.ts";
import { keep, recall } from "../../device/memory.ts";
import type { ReleaseAnswer, ReleaseAsked, TrusteeSeeds } from "../../device/protocol.ts";
import { checkedAcks } from "../../net/acks.ts";
import { allProofs, consistency, envelopes, halves, proofs } from "../../net/lookups.ts";
import { clock, type Store } from "../../net/store.ts";
import type { OpeningView } from "../../opening/view.ts";
import { troubleOf } from "../../ui/refusal.tsx";
import { readCheckpoint } from "../bid/checkpoints.ts";
import type { TrusteeActs, TrusteeView } from "./trustee_view.ts";

interface SeenClosing {
  readonly checkpoint: string;
  readonly fingerprint: string;
  readonly atMs: number;
}

interface Released {
  readonly envelope: number;
  readonly nonce: string;
}

/** Seeds of a trustee's key file: `{"xpk_seed": hex, "spk_seed": hex}`; other members are ignored. */
export function readTrusteeSeeds(text: string): TrusteeSeeds {
  let value: { xpk_seed?: unknown; spk_seed?: unknown };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    throw new Rejected("trustee.file");
  }
  const seed = (given: unknown): Bytes => unhex(String(given ?? ""), 32, "trustee.file");
  return { boxSeed: seed(value?.xpk_seed), signSeed: seed(value?.spk_seed) };
}

export class TrusteeDesk implements TrusteeActs {
  readonly view: Signal<TrusteeView>;
  private seeds: TrusteeSeeds | null = null;
  private isHeld = false;
  private checkedNonce = "";
  private readonly store: Store;
  private readonly id: string;

  constructor(store: Store, id: string) {
    this.store = store;
    this.id = id;
    this.view = signal<TrusteeView>({
      step: { kind: "no_key" },
      checks: [],
      isOk: false,
      sharesGiven: 0,
      seenFingerprint: null,
      trouble: null,
    });
    const kept = givenTrusteeFile();
    if (kept !== null) this.takeSeeds(kept);
  }

  private get opening(): OpeningView {
    return this.store.opening(this.id).value;
  }

  private change(change: Partial<TrusteeView>): void {
    this.view.value = { ...this.view.value, ...change };
  }

  private takeSeeds(text: string): void {
    const seeds = readTrusteeSeeds(text);
    this.seeds = seeds;
    this.change({ step: { kind: "waiting" }, trouble: null });
    void sodiumReady().then(() => {
      this.spk = hex(new SigningKey(seeds.signSeed).public);
      this.follow();
    });
  }

  loadKey = async (file: File): Promise<void> => {
    try {
      this.takeSeeds(file.size > 65_536 ? "" : await file.text());
      this.follow();
    } catch (error) {
      this.change({ trouble: troubleOf(error, clock.now()) });
    }
  };

  /** Called whenever the opening moved: notes, checks, or rests, as the stage asks. */
  follow(): void {
    const { closing, window, releases, manifest } = this.opening;
    if (closing !== null) void this.note(closing.checkpoint, closing.fingerprint);
    if (this.spk === "" || this.isHeld) return;
    const { step } = this.view.value;
    if (step.kind === "releasing" || step.kind === "checking") return;
    const own = this.ownPosition();
    const released = releases.find((one) => one.i === own);
    if (released !== undefined) {
      if (step.kind !== "released") {
        this.change({ step: { kind: "released", atMs: released.receivedMs } });
      }
      return;
    }
    if (manifest === null || !window?.ended || window.checkpoint === null) {
      if (step.kind !== "waiting") this.change({ step: { kind: "waiting" } });
      return;
    }
    const nonce = `${window.session}.${window.w}`;
    if (this.checkedNonce !== nonce) {
      this.checkedNonce = nonce;
      void this.check(false);
    }
  }

  /** This trustee's place in the manifest's list: where it names this device's signing key. */
  private ownPosition(): number {
    const at = this.opening.manifest?.trustees.findIndex((one) => one.spk === this.spk) ?? -1;
    return at + 1;
  }

  private spk = "";

  /** Written down once, when this device first sees it: what later grows from it cannot be forged. */
  private async note(checkpoint: string, fingerprint: string): Promise<void> {
    if (this.view.value.seenFingerprint !== null) return;
    const name = `closing:${this.id}`;
    let seen = await recall<SeenClosing>(name);
    if (seen === null) {
      seen = { checkpoint, fingerprint, atMs: clock.now() };
      await keep(name, seen);
    }
    this.change({ seenFingerprint: { text: seen.fingerprint, atMs: seen.atMs } });
  }

  check = async (deadlineConfirmed: boolean): Promise<void> => {
    this.change({ step: { kind: "checking", total: 0 }, trouble: null });
    try {
      const answer = await this.ask(deadlineConfirmed, false);
      const clockCheck = answer.checks.find((one) => one.name === "clock");
      if (clockCheck?.code === "clock.slow" && answer.deadlineMs !== null) {
        const { deadlineMs } = answer;
        this.change({ step: { kind: "ask_clock", deviceMs: Date.now(), deadlineMs } });
        return;
      }
      this.confirmed = deadlineConfirmed;
      this.change({
        step: { kind: "checked" },
        checks: answer.checks,
        isOk: answer.ok,
        sharesGiven: answer.shares,
      });
    } catch (error) {
      const trouble = troubleOf(error, clock.now());
      this.change({ step: { kind: "checked" }, checks: [], isOk: false, trouble });
    }
  };

  private confirmed = false;

  release = async (): Promise<void> => {
    this.change({ step: { kind: "releasing" }, trouble: null });
    try {
      const answer = await this.ask(this.confirmed, true);
      if (!answer.ok) {
        this.change({ step: { kind: "checked" }, checks: answer.checks, isOk: false });
        return;
      }
      await this.rememberRelease();
      const messages = answer.messages;
      const result = await this.store.ask(this.id, "release", { messages });
      const manifest = parseManifest(this.opening.manifestRaw as Uint8Array);
      const acks = checkedAcks(result, messages, ACK_RELEASE, manifest);
      const atMs = Math.max(...acks.map((ack) => ack.server_ms));
      this.change({ step: { kind: "released", atMs } });
    } catch (error) {
      this.change({ step: { kind: "checked" }, trouble: troubleOf(error, clock.now()) });
    }
  };

  hold = (): void => {
    this.isHeld = true;
    this.change({ step: { kind: "held" } });
  };

  back = (): void => {
    this.isHeld = false;
    void this.check(this.confirmed);
  };

  // -- inside

  private async rememberRelease(): Promise<void> {
    const before = (await recall<readonly Released[]>(`released:${this.id}`)) ?? [];
    const now = Object.entries(this.opening.window?.nonces ?? {}).map(([envelope, nonce]) => ({
      envelope: Number(envelope),
      nonce,
    }));
    const others = before.filter((old) => now.every((one) => one.nonce !== old.nonce));
    await keep(`released:${this.id}`, [...others, ...now]);
  }

  /** Fetches everything that the check asks for, and lets the worker check (and sign). */
  private async ask(deadlineConfirmed: boolean, sign: boolean): Promise<ReleaseAnswer> {
    await sodiumReady();
    const { window, manifestRaw } = this.opening;
    if (this.seeds === null || !window?.checkpoint || manifestRaw === null) {
      throw new Rejected("release.window");
    }
    const manifest = parseManifest(manifestRaw);
    const { size } = readCheckpoint(window.checkpoint.checkpoint);
    const [shown, found, unlocked, seen, released] = await Promise.all([
      proofs(this.id, size),
      envelopes(this.id, size),
      halves(this.id),
      recall<SeenClosing>(`closing:${this.id}`),
      recall<readonly Released[]>(`released:${this.id}`),
    ]);
    const { length } = found.headers;
    this.change({
      step: sign ? { kind: "releasing" } : { kind: "checking", total: length },
    });
    const asked: ReleaseAsked = {
      manifest: manifest.raw,
      seeds: this.seeds,
      checkpoint: window.checkpoint.checkpoint,
      proofs: [...allProofs(shown), ...found.registrations],
      seenClosing: seen === null ? null : await this.grownFrom(seen, size),
      windows: Object.entries(window.nonces).map(([envelope, nonce]) => ({
        envelope: Number(envelope),
        w: window.w,
        nonce: unhex(nonce),
      })),
      submits: found.submits,
      headers: found.headers,
      halves: new Map(unlocked) as ReadonlyMap<string, Bytes>,
      released: released ?? [],
      nowMs: Date.now(),
      deadlineConfirmed,
      sign,
    };
    const answer = await askDevice({ kind: "release", asked });
    if (answer.kind !== "release") throw new Rejected("page.trouble");
    return answer.answer;
  }

  private async grownFrom(seen: SeenClosing, size: number) {
    const from = readCheckpoint(seen.checkpoint).size;
    if (from >= size) return { text: seen.checkpoint };
    return { text: seen.checkpoint, consistency: await consistency(from, size) };
  }
}

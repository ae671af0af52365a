/**
 * An officer at work (职务签名): loads the key of the office, signs what the page shows, sends it.
 *
 * Invariant: the seed stays in this tab; it signs bytes that this device composed from the words on
 * the page (`crypto/acts.ts`), never bytes that came from a server. The signing code is loaded when
 * it is first needed, so that the public's pages stay light.
 */
import { type Signal, signal } from "@preact/signals";
import type { Act, Half, ProposedAct } from "../../crypto/acts.ts";
import { type Bytes, unhex } from "../../crypto/bytes.ts";
import { Rejected } from "../../crypto/errors.ts";
import type { TenderManifest } from "../../crypto/manifest.ts";
import { download } from "../../device/download.ts";
import { givenOfficerSeed, keepOfficerSeed } from "../../device/given_keys.ts";
import { getBytes, putFile } from "../../net/http.ts";
import { clock, type Store } from "../../net/store.ts";
import type { Proposal, Suggestion } from "../../opening/acts.ts";
import { troubleOf } from "../../ui/refusal.tsx";
import type { OfficerActs, OfficerRole, OfficerView } from "./officer_view.ts";
import { standing, whyText } from "./officer_view.ts";

const KEY_FILE_MAX = 65_536;

/** The seed of an officer's key file: `{"officer_seed": hex}`, or the 64 hex digits alone. */
export function readOfficerSeed(text: string): string {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/.test(trimmed)) return trimmed;
  try {
    const { officer_seed: seed } = JSON.parse(trimmed) as { officer_seed?: unknown };
    if (typeof seed === "string" && /^[0-9a-f]{64}$/.test(seed)) return seed;
  } catch {
    // not JSON
  }
  throw new Rejected("act.file");
}

async function tools() {
  const [{ sodiumReady }, acts, { parseManifest }] = await Promise.all([
    import("../../crypto/sodium.ts"),
    import("../../crypto/acts.ts"),
    import("../../crypto/manifest.ts"),
  ]);
  await sodiumReady();
  return { ...acts, parseManifest };
}

export class OfficerDesk implements OfficerActs {
  readonly view: Signal<OfficerView>;
  private readonly store: Store;
  private readonly id: string;
  private readonly role: OfficerRole | null;

  constructor(store: Store, id: string, role: OfficerRole | null) {
    this.store = store;
    this.id = id;
    this.role = role;
    this.view = signal<OfficerView>({
      role,
      hasKey: role !== null && givenOfficerSeed() !== null,
      busy: "",
      trouble: null,
      checked: {},
    });
  }

  private change(change: Partial<OfficerView>): void {
    this.view.value = { ...this.view.value, ...change };
  }

  private get manifest(): Uint8Array | null {
    return this.store.opening(this.id).value.manifestRaw;
  }

  private async during(name: string, what: () => Promise<void>): Promise<void> {
    if (this.view.value.busy !== "") return;
    this.change({ busy: name, trouble: null });
    try {
      await what();
      this.change({ busy: "" });
    } catch (error) {
      this.change({ busy: "", trouble: troubleOf(error, clock.now()) });
    }
  }

  /** The half of this officer under `act`. */
  private async sign(act: Act): Promise<Half> {
    const seed = givenOfficerSeed();
    if (seed === null || this.role === null) throw new Rejected("act.officer");
    const { signAct, manifest } = await this.ready();
    return signAct(manifest, this.role, unhex(seed, 32, "act.file"), act);
  }

  private async ready() {
    const raw = this.manifest;
    if (raw === null) throw new Rejected("page.trouble");
    const found = await tools();
    const manifest: TenderManifest = found.parseManifest(raw);
    return { ...found, manifest };
  }

  loadKey = (file: File): void => {
    void this.during("key", async () => {
      const seed = readOfficerSeed(file.size > KEY_FILE_MAX ? "" : await file.text());
      keepOfficerSeed(seed);
      this.change({ hasKey: true });
    });
  };

  /** Called whenever the room moved: each new proposal is checked before it can be signed. */
  async follow(): Promise<void> {
    if (this.role === null) return;
    const opening = this.store.opening(this.id).value;
    const known = this.view.value.checked;
    const all = standing(opening, this.store.tender(this.id).value);
    const fresh = all.filter((one) => one.by !== this.role && !(one.act in known));
    if (fresh.length === 0 || this.manifest === null) return;
    const { checkProposal, manifest } = await this.ready();
    const found: Record<string, string> = {};
    for (const proposal of fresh) {
      try {
        checkProposal(manifest, proposal satisfies ProposedAct);
        found[proposal.act] = "";
      } catch (error) {
        found[proposal.act] = error instanceof Rejected ? error.code : "page.trouble";
      }
    }
    this.change({ checked: { ...this.view.value.checked, ...found } });
  }

  proposeGround = (suggestion: Suggestion, ground: string, reason: string): void => {
    void this.during(`ground ${suggestion.bidId}`, () =>
      this.sendGround(suggestion, ground, reason),
    );
  };

  proposeAll = (suggestions: readonly Suggestion[]): void => {
    void this.during("all", async () => {
      for (const one of suggestions) await this.sendGround(one, one.ground, whyText(one));
    });
  };

  private async sendGround(suggestion: Suggestion, ground: string, reason: string): Promise<void> {
    const { bidId } = suggestion;
    const act: Act = { kind: "ground", bidId, suggested: suggestion.ground, ground, reason };
    const half = await this.sign(act);
    const bid_id = unhex(bidId);
    await this.store.ask(this.id, "propose_ground", { bid_id, ground, reason, ...half });
  }

  proposeLoss = (reason: string): void => {
    void this.during("loss", async () => {
      const nonce = this.formNonce();
      const half = await this.sign({ kind: "loss", nonce, reason });
      await this.store.ask(this.id, "propose_trustees_lost", { reason, ...half });
    });
  };

  private formNonce(): string {
    const { window, manifest } = this.store.opening(this.id).value;
    const form = manifest?.envelopes.find(
      (one) => one.kind === "form" && window?.nonces[one.envelope] !== undefined,
    );
    const nonce = form && window?.nonces[form.envelope];
    if (nonce === undefined) throw new Rejected("release.window");
    return nonce;
  }

  proposeDeadline = (deadlineMs: number, reason: string): void => {
    void this.during("deadline", async () => {
      const oldMs = this.store.tender(this.id).value.deadlineMs;
      const half = await this.sign({ kind: "deadline", oldMs, deadlineMs, reason });
      const args = { deadline_ms: deadlineMs, reason, ...half };
      await this.store.askTender(this.id, "propose_deadline", args);
    });
  };

  countersign = (proposal: Proposal): void => {
    void this.during(`sign ${proposal.act}`, () => this.sendSecond(proposal));
  };

  countersignAll = (proposals: readonly Proposal[]): void => {
    void this.during("all", async () => {
      for (const one of proposals) await this.sendSecond(one);
    });
  };

  private async sendSecond(proposal: Proposal): Promise<void> {
    const { checkProposal, manifest } = await this.ready();
    checkProposal(manifest, proposal);
    const args = { act: unhex(proposal.act), ...(await this.sign(proposal)) };
    if (proposal.kind === "deadline") {
      await this.store.askTender(this.id, "countersign_deadline", args);
    } else await this.store.ask(this.id, "countersign", args);
  }

  decline = (proposal: Proposal, reason: string): void => {
    void this.during(`decline ${proposal.act}`, async () => {
      const args = { act: unhex(proposal.act), reason };
      if (proposal.kind === "deadline") {
        await this.store.askTender(this.id, "decline_deadline", args);
      } else await this.store.ask(this.id, "decline_act", args);
    });
  };

  repair = (bidId: string, file: File): void => {
    void this.during(`repair ${bidId}`, () =>
      putFile(`/openings/${this.id}/payloads/${bidId}`, file),
    );
  };

  /** The log's own entries about this bid, as a file to keep; with the tab's session. */
  evidence = (suggestion: Suggestion): void => {
    void this.during(`evidence ${suggestion.bidId}`, async () => {
      const path = `/openings/${this.id}/evidence?bid_id=${suggestion.bidId}`;
      const raw: Bytes = await getBytes(path);
      download(`evidence-${this.id}-${suggestion.no}.json`, raw);
    });
  };

  dismiss = (): void => this.change({ trouble: null });
}

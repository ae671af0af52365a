/**
 * The bidder's desk at work (投标人工作台): key, sealing, receipts, unlocking.
 *
 * Invariant: everything shown is in `view`; seeds are in memory of this page only, and leave it for
 * a worker of this tab at most. What the server says of our own bids is checked before it is shown.
 */
import { type Signal, signal } from "@preact/signals";
import { ACK_WITHDRAW } from "../../crypto/ack.ts";
import { hex, unhex } from "../../crypto/bytes.ts";
import { encode } from "../../crypto/canonical.ts";
import { Rejected } from "../../crypto/errors.ts";
import { sha256 } from "../../crypto/hashes.ts";
import { SigningKey } from "../../crypto/keys.ts";
import {
  parseManifest,
  parseManifestSignatures,
  type TenderManifest,
} from "../../crypto/manifest.ts";
import { sodiumReady } from "../../crypto/sodium.ts";
import { buildSubmit, KIND_WITHDRAW } from "../../crypto/submissions.ts";
import { download } from "../../device/download.ts";
import type { GivenKeys } from "../../device/given_keys.ts";
import { keep, recall } from "../../device/memory.ts";
import { readPhoto } from "../../device/photo.ts";
import type { OpenKeys } from "../../device/protocol.ts";
import { checkedAcks } from "../../net/acks.ts";
import { getBytes } from "../../net/http.ts";
import { type Mine, manifestBytes, mine } from "../../net/lookups.ts";
import { me } from "../../net/session.ts";
import { clock, type Store } from "../../net/store.ts";
import type { OpeningView } from "../../opening/view.ts";
import { troubleOf } from "../../ui/refusal.tsx";
import {
  type DeskActs,
  type DeskView,
  emptyDesk,
  presentBid,
  type SealInput,
} from "./desk_view.ts";
import { HandOver } from "./hand_over.ts";
import {
  headersOf,
  ownCards,
  ownEnvelopes,
  ownHalves,
  ownReceipts,
  ownSubmits,
} from "./own_bids.ts";
import { OwnKey } from "./own_key.ts";
import { SealRun } from "./seal_run.ts";
import { keepStored } from "./stored_seals.ts";

const RECEIPT_TRIES = 12;
const RECEIPT_EVERY_MS = 1000;

export class Desk implements DeskActs {
  readonly view: Signal<DeskView> = signal(emptyDesk());
  own: Mine | null = null;
  readonly store: Store;
  readonly id: string;
  private manifest: Promise<TenderManifest> | null = null;
  private run: SealRun | null = null;
  private readonly key: OwnKey;
  private readonly handOver: HandOver;

  constructor(store: Store, id: string) {
    this.store = store;
    this.id = id;
    this.key = new OwnKey(this);
    this.handOver = new HandOver(this);
  }

  get opening(): OpeningView {
    return this.store.opening(this.id).value;
  }

  change(change: Partial<DeskView>): void {
    this.view.value = { ...this.view.value, ...change };
  }

  /** The checked manifest; asked for once, and again after a failure. */
  rules(): Promise<TenderManifest> {
    this.manifest ??= sodiumReady()
      .then(() => this.opening.manifestRaw ?? manifestBytes(this.id))
      .then((raw) => parseManifest(raw));
    this.manifest.catch(() => {
      this.manifest = null;
    });
    return this.manifest;
  }

  /** Reads what the server has of ours, and which key is on this device. */
  async load(given: GivenKeys | null = null): Promise<void> {
    await this.guarded(async () => {
      const manifest = await this.rules();
      this.own = await mine(this.id);
      const registered = this.own.registration && {
        bidderPk: this.own.registration.bidder_pk,
        certified: this.own.registration.certified,
      };
      this.change({
        registered,
        envelopes: ownEnvelopes(this.own, manifest),
        submits: ownSubmits(this.own, manifest),
        receipts: ownReceipts(this.own, manifest),
      });
      await this.keepReceipts();
      await this.key.find(given);
    });
    this.change({ isLoaded: true });
  }

  /** Runs one act; what it throws is shown, never lost. */
  async guarded(act: () => Promise<void>): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (error) {
      this.change({ trouble: troubleOf(error, clock.now()) });
      return false;
    }
  }

  /** A receipt seen once is kept: later checks compare the log with what this device had itself. */
  private async keepReceipts(): Promise<void> {
    for (const receipt of this.view.value.receipts) {
      const name = `receipt:${receipt.sha256}`;
      if (receipt.isValid && (await recall(name)) === null) await keep(name, receipt.file);
    }
  }

  // -- the key

  createKey = (passphrase: string): Promise<void> => this.key.create(passphrase);
  openKey = (passphrase: string): Promise<void> => this.key.open(passphrase);
  loadKeyFile = (file: File): Promise<void> => this.key.load(file);
  saveKeyFile = (): void => this.key.save();
  openKeys = (): OpenKeys => this.key.required();

  // -- the bid

  seal = async (input: SealInput): Promise<void> => {
    await this.guarded(async () => {
      const manifest = await this.rules();
      const signatures = await getBytes(`/tenders/${this.id}/manifest.sig.json`);
      parseManifestSignatures(signatures, manifest);
      this.run?.abandon();
      this.change({ cards: [], trouble: null });
      this.run = new SealRun({
        tender: this.id,
        manifest,
        keys: this.openKeys(),
        bidder: { code: me.value.org ?? "", name: this.own?.registration?.name ?? "" },
        input,
        chain: () => this.view.value.submits.filter((one) => one.lot === input.lot),
        now: () => clock.now(),
        submit: (message) => this.store.askTender(this.id, "submit", { message }),
        changed: (job) => this.change({ job }),
        card: (card) => this.change({ cards: [...this.view.value.cards, card] }),
      });
      if (await this.run.start()) await this.submitted();
    });
  };

  pause = (): void => this.run?.pause();

  resume = async (): Promise<void> => {
    if (await this.run?.resume()) await this.submitted();
  };

  abandon = (): void => {
    this.run?.abandon();
    this.run = null;
    this.change({ job: null, cards: [] });
    void this.findStored();
  };

  /** SUBMIT is promised; the receipt with its proof follows within a second or two. */
  private async submitted(): Promise<void> {
    this.run = null;
    for (let tries = 0; tries < RECEIPT_TRIES; tries++) {
      await this.load();
      const { submits, receipts, job } = this.view.value;
      const bid = job && presentBid(this.view.value, job.lot);
      const isHere = receipts.some((one) => one.sha256 === bid?.sha256);
      if (isHere || submits.length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, RECEIPT_EVERY_MS));
    }
    this.change({ job: null, rehearsal: "none" });
    await this.findStored();
  }

  withdraw = async (lot: number): Promise<void> => {
    await this.guarded(async () => {
      const manifest = await this.rules();
      const last = this.view.value.submits.filter((one) => one.lot === lot).at(-1);
      if (!last) return;
      const message = buildSubmit(
        manifest.suite,
        {
          tender_id: manifest.tender_id,
          lot,
          seq: last.seq + 1,
          prev: unhex(last.sha256),
          kind: KIND_WITHDRAW,
          items: [],
        },
        new SigningKey(this.openKeys().signSeed),
      ).raw;
      const result = await this.store.askTender(this.id, "submit", { message });
      checkedAcks(result, [message], ACK_WITHDRAW, manifest);
      this.change({ cards: [] });
      await this.load();
    });
  };

  /** What an earlier visit sealed and did not submit; what was submitted is let go of. */
  async findStored(): Promise<void> {
    // While a run writes to that folder, or clears it, there is nothing of an earlier visit to find.
    if (this.run !== null) return;
    const used = new Set(this.view.value.submits.flatMap((one) => one.bidIds));
    const seals = await keepStored((one) => one.tender === this.id && used.has(one.bid_id));
    this.change({ stored: seals.filter((one) => one.tender === this.id && one.envelope !== 1) });
  }

  // -- before the window

  signIn = async (): Promise<void> => {
    await this.guarded(async () => {
      await this.store.ask(this.id, "sign_in", {});
    });
  };

  rehearse = async (): Promise<void> => {
    this.change({ rehearsal: "busy" });
    try {
      ownHalves(await this.presentHeaders(), this.openKeys());
      this.change({ rehearsal: "passed" });
    } catch (error) {
      const isKey = error instanceof Rejected && error.code.startsWith("seed.");
      this.change({
        rehearsal: isKey ? "failed" : "none",
        ...(isKey ? {} : { trouble: troubleOf(error, clock.now()) }),
      });
    }
  };

  showCards = async (): Promise<void> => {
    await this.guarded(async () => {
      const cards = ownCards(await this.presentHeaders(), this.openKeys(), await this.rules());
      this.change({ cards });
    });
  };

  /** Headers of the bids that count now. */
  private async presentHeaders() {
    const manifest = await this.rules();
    this.own ??= await mine(this.id);
    const headers = headersOf(this.own, manifest);
    const ids = manifest.members.lots.flatMap(
      (lot) => presentBid(this.view.value, lot.lot)?.bidIds ?? [],
    );
    return ids.flatMap((id) => headers.get(id) ?? []);
  }

  // -- the window

  prepare = (): Promise<void> => this.handOver.prepare();
  unlock = (confirmed: boolean): Promise<void> => this.handOver.unlock(confirmed);
  typeCard = (cardText: string): void => this.change({ cardText });
  unlockByCard = (confirmed: boolean): Promise<void> =>
    this.handOver.unlockByCard(this.view.value.cardText, confirmed);
  selfRelease = async (): Promise<void> => {
    this.change({ selfRelease: "busy", trouble: null });
    const isDone = await this.guarded(() => this.handOver.selfRelease());
    this.change({ selfRelease: isDone ? "done" : "none" });
  };
  readCardPhoto = readPhoto;

  /** Is what was read out what this device sealed? By hashes: sealed, frozen, and shown. */
  async compare(): Promise<void> {
    const { rows, formHashes } = this.opening;
    const ours = new Set(this.view.value.submits.flatMap((one) => one.bidIds));
    const same: Record<string, boolean> = {};
    await sodiumReady();
    for (const row of rows) {
      if (!ours.has(row.bidId)) continue;
      const sealed = await recall<string>(`form:${row.bidId}`);
      if (sealed === null) continue;
      const shown = hex(sha256(encode(row.form)));
      same[row.bidId] = sealed === shown && formHashes[row.bidId] === shown;
    }
    this.change({ sameAsSealed: same });
  }

  download = download;

  dismiss = (): void => this.change({ trouble: null, unlock: { kind: "idle" } });
}

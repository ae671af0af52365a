/**
 * Unlocking by card without a login (解锁卡解密, C8): the checks, the message, the signed answer.
 *
 * Invariant: nothing leaves the device before every check passed: the closing checkpoint, the
 * announced window and its nonce, the deadline, and that a SUBMIT of the closed list lists this
 * bid. There is no receipt here to compare the log with, and the page says so.
 */
import { type Signal, signal } from "@preact/signals";
import { ACK_CARD_UNLOCK, type Ack } from "../../crypto/ack.ts";
import { type Bytes, hex, unhex } from "../../crypto/bytes.ts";
import { encode } from "../../crypto/canonical.ts";
import { parseCard } from "../../crypto/card.ts";
import { Rejected } from "../../crypto/errors.ts";
import { type Header, parseHeader } from "../../crypto/header.ts";
import { parseManifest, type TenderManifest } from "../../crypto/manifest.ts";
import { bidderHalfMatches } from "../../crypto/sealing.ts";
import { sodiumReady } from "../../crypto/sodium.ts";
import { checkBeforeUnlock } from "../../crypto/unlock_check.ts";
import { buildCardUnlock } from "../../crypto/unlock_messages.ts";
import { download } from "../../device/download.ts";
import { readPhoto } from "../../device/photo.ts";
import { checkedAcks } from "../../net/acks.ts";
import { Refused } from "../../net/commands.ts";
import { allProofs, manifestBytes, proofs, type SealedBid, sealedBid } from "../../net/lookups.ts";
import { clock, type Store } from "../../net/store.ts";
import { sessionEnvelopes } from "../../opening/own.ts";
import type { OpeningView, Window } from "../../opening/view.ts";
import { troubleOf } from "../../ui/refusal.tsx";
import { onceLogged } from "../bid/logged_soon.ts";
import { type CardActs, type CardView, emptyCard, type GivenCard } from "./card_view.ts";

/** A card, and the bid that the server says it belongs to. */
interface Played {
  readonly header: Header;
  readonly half: Bytes;
  readonly sealed: SealedBid;
}

export class CardDesk implements CardActs {
  readonly view: Signal<CardView> = signal(emptyCard());
  private readonly store: Store;
  private readonly id: string;
  private readonly acks: Ack[] = [];

  constructor(store: Store, id: string) {
    this.store = store;
    this.id = id;
  }

  typeCard = (cardText: string): void => this.change({ cardText });
  readCardPhoto = readPhoto;
  download = download;
  dismiss = (): void => this.change({ unlock: { kind: "idle" } });

  unlockByCard = async (deadlineConfirmed: boolean): Promise<void> => {
    this.change({ unlock: { kind: "checking" } });
    try {
      await sodiumReady();
      const manifest = parseManifest(this.opening.manifestRaw ?? (await manifestBytes(this.id)));
      const { window } = this.opening;
      if (window === null) throw new Refused("unlock.before_window");
      const cards = await this.played(manifest);
      for (const card of cards) {
        if (!(await this.mayHandOver(manifest, window, card, deadlineConfirmed))) return;
      }
      this.change({ unlock: { kind: "sending" } });
      for (const card of cards) await this.handOver(manifest, window, card);
      this.change({ unlock: { kind: "idle" }, cardText: "" });
    } catch (error) {
      this.change({ unlock: { kind: "failed", trouble: troubleOf(error, clock.now()) } });
    }
  };

  // -- inside

  private get opening(): OpeningView {
    return this.store.opening(this.id).value;
  }

  private change(change: Partial<CardView>): void {
    this.view.value = { ...this.view.value, ...change };
  }

  /** Every line of what was typed, with its bid; what is wrong is said with the line's number. */
  private async played(manifest: TenderManifest): Promise<Played[]> {
    const lines = this.view.value.cardText.split(/\n+/).filter((line) => line.trim() !== "");
    const cards: Played[] = [];
    for (const [at, line] of lines.entries()) {
      try {
        cards.push(await this.playedOn(line, manifest));
      } catch (error) {
        if (!(error instanceof Rejected)) throw error;
        throw new Refused(error.code, false, { line: at + 1 });
      }
    }
    return cards.sort((a, b) => a.header.envelope - b.header.envelope);
  }

  private async playedOn(line: string, manifest: TenderManifest): Promise<Played> {
    const card = parseCard(line, manifest.suite);
    const start = hex(card.bid_id_start);
    const sealed = await sealedBid(this.id, start).catch((error: unknown) => {
      throw error instanceof Refused && error.code === "bid.unknown"
        ? new Rejected("card.unknown")
        : error;
    });
    const header = parseHeader(sealed.header, manifest.suite);
    if (!hex(header.bid_id).startsWith(start)) throw new Rejected("card.unknown");
    if (!bidderHalfMatches(header, card.bidder_half)) throw new Rejected("card.half");
    return { header, half: card.bidder_half, sealed };
  }

  /** C7 without a receipt. False: a person was asked about the clock. */
  private async mayHandOver(
    manifest: TenderManifest,
    window: Window,
    { header, sealed }: Played,
    deadlineConfirmed: boolean,
  ): Promise<boolean> {
    const verdict = await onceLogged(async () => {
      const shown = await proofs(this.id);
      return checkBeforeUnlock({
        manifest,
        own: { message: sealed.submit },
        checkpoint: shown.checkpoint,
        proofs: allProofs(shown),
        closed_path: sealed.path,
        windows: [
          { envelope: header.envelope, w: window.w, nonce: nonceOf(window, header), header },
        ],
        now_ms: Date.now(),
        deadlineConfirmed,
      });
    });
    if (verdict.ok) return true;
    if (verdict.code === "clock.slow" && verdict.deadline_ms !== null) {
      const deadlineMs = verdict.deadline_ms;
      this.change({ unlock: { kind: "ask_clock", deviceMs: Date.now(), deadlineMs } });
      return false;
    }
    throw new Rejected(verdict.code);
  }

  private async handOver(manifest: TenderManifest, window: Window, card: Played): Promise<void> {
    const { header, half } = card;
    const message = buildCardUnlock(manifest.suite, {
      tender_id: manifest.tender_id,
      opening_nonce: nonceOf(window, header),
      bid_id: header.bid_id,
      bidder_half: half,
    }).raw;
    let receivedMs: number | null = null;
    try {
      const result = await this.store.ask(this.id, "card_unlock", { message });
      const [ack] = checkedAcks(result, [message], ACK_CARD_UNLOCK, manifest) as [Ack];
      this.acks.push(ack);
      receivedMs = ack.server_ms;
    } catch (error) {
      // Unlocked with the key, or by another holder of this card: what was wanted is done.
      if (!(error instanceof Refused) || error.code !== "unlock.already") throw error;
    }
    this.given(manifest, header, receivedMs);
  }

  private given(manifest: TenderManifest, header: Header, receivedMs: number | null): void {
    const name = (number: number) =>
      manifest.members.envelopes.find((one) => one.envelope === number)?.name ?? "";
    const own = hex(header.bid_id);
    const bid = this.opening.bids.find((one) => Object.values(one.envelopes).includes(own));
    const { envelope } = header;
    const others = this.view.value.given.filter(
      (one) => one.no !== bid?.no || one.envelope !== envelope,
    );
    const card: GivenCard = { no: bid?.no ?? 0, envelope, name: name(envelope), receivedMs };
    const given = [...others, card].sort((a, b) => a.no - b.no || a.envelope - b.envelope);
    const here = new Set(given.filter((one) => one.no === card.no).map((one) => one.envelope));
    const asked = bid === undefined ? [] : sessionEnvelopes(this.opening, bid);
    this.change({
      given,
      missing: asked.filter((number) => !here.has(number)).map(name),
      unlockReceipt: this.acks.length === 0 ? null : this.receipt(),
    });
  }

  private receipt() {
    const file = encode({
      acks: this.acks.map((ack) => hex(ack.raw)),
      messages_sha256: this.acks.map((ack) => hex(ack.message_sha256)),
    });
    return { name: `${this.id}.unlock.json`, file };
  }
}

function nonceOf(window: Window, header: Header): Bytes {
  const nonce = window.nonces[header.envelope];
  if (nonce === undefined) throw new Rejected("unlock.envelope");
  return unhex(nonce);
}

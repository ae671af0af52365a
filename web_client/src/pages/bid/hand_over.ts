/**
 * Handing over one's half (交出一半): the checks of C7, the messages, the signed answer.
 *
 * Invariant: nothing leaves the device before every check passed; the first that fails is named and
 * reported without any half. "Done" is said only on the signed promise.
 */
import { ACK_CARD_UNLOCK, ACK_SELF_RELEASE, ACK_UNLOCK, type Ack } from "../../crypto/ack.ts";
import { type Bytes, hex, unhex } from "../../crypto/bytes.ts";
import { encode } from "../../crypto/canonical.ts";
import { type Card, parseCard } from "../../crypto/card.ts";
import { Rejected } from "../../crypto/errors.ts";
import type { Header } from "../../crypto/header.ts";
import { BoxKey, SigningKey } from "../../crypto/keys.ts";
import type { TenderManifest } from "../../crypto/manifest.ts";
import { parseReceipt } from "../../crypto/receipts.ts";
import { hostHalf } from "../../crypto/schedule.ts";
import { bidderHalfMatches, unsealSeed } from "../../crypto/sealing.ts";
import { type OwnSubmit as Checked, checkBeforeUnlock } from "../../crypto/unlock_check.ts";
import { buildCardUnlock, buildSelfRelease, buildUnlock } from "../../crypto/unlock_messages.ts";
import { recall } from "../../device/memory.ts";
import { checkedAcks } from "../../net/acks.ts";
import { Refused } from "../../net/commands.ts";
import {
  allProofs,
  closedPath,
  consistency,
  mine,
  type Proofs,
  proofs,
} from "../../net/lookups.ts";
import { me } from "../../net/session.ts";
import { clock } from "../../net/store.ts";
import { ownBids, sessionEnvelopes } from "../../opening/own.ts";
import type { Bid, Window } from "../../opening/view.ts";
import { troubleOf } from "../../ui/refusal.tsx";
import { readCheckpoint } from "./checkpoints.ts";
import type { Desk } from "./desk.ts";
import { ownBidIds } from "./desk_view.ts";
import { onceLogged } from "./logged_soon.ts";
import { headersOf, ownHalves, receiptOf } from "./own_bids.ts";

export class HandOver {
  private prepared: { readonly nonce: string; readonly answer: Proofs } | null = null;
  /** What a person's word about the clock lets go on: the press, or the card. */
  private afterClock: (() => Promise<void>) | null = null;
  private readonly desk: Desk;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  /** Fetches what the press will need, so that the press itself takes no time. */
  async prepare(): Promise<void> {
    const nonce = nonceName(this.window());
    if (this.prepared?.nonce === nonce) return;
    try {
      const answer = await proofs(this.desk.id);
      this.prepared = { nonce, answer };
    } catch {
      // The press asks again, and says what is wrong if it still fails.
    }
  }

  async unlock(confirmed: boolean): Promise<void> {
    const { afterClock } = this;
    this.afterClock = null;
    if (confirmed && afterClock !== null) return afterClock();
    await this.guarded(async () => {
      const manifest = await this.desk.rules();
      const window = this.window();
      const bids = this.bids();
      const headers = await this.sessionHeaders(manifest, bids);
      const halves = this.halvesOf(headers);
      if (!(await this.mayHandOver(manifest, window, headers, confirmed))) {
        this.afterClock = () => this.unlock(true);
        return;
      }
      this.desk.change({ unlock: { kind: "sending" } });
      const messages = byEnvelope(headers).map(
        ([envelope, ofEnvelope]) =>
          buildUnlock(
            manifest.suite,
            {
              tender_id: manifest.tender_id,
              opening_nonce: nonceOf(window, envelope),
              envelope,
              w: window.w,
              items: ofEnvelope.map((header) => ({
                bid_id: header.bid_id,
                bidder_half: halves.get(hex(header.bid_id)) as Bytes,
              })),
            },
            new SigningKey(this.desk.openKeys().signSeed),
          ).raw,
      );
      const result = await this.desk.store.ask(this.desk.id, "unlock", { messages });
      this.done(checkedAcks(result, messages, ACK_UNLOCK, manifest));
    });
  }

  async unlockByCard(text: string, confirmed: boolean): Promise<void> {
    await this.guarded(async () => {
      const manifest = await this.desk.rules();
      const window = this.window();
      const headers = await this.sessionHeaders(manifest, this.bids());
      const given = text
        .split(/\n+/)
        .filter((line) => line.trim() !== "")
        .map((line, at) => cardOnLine(line, at + 1, manifest, headers));
      for (const { header, half } of given) {
        if (!bidderHalfMatches(header, half)) throw new Rejected("unlock.key_mismatch");
      }
      if (!(await this.mayHandOver(manifest, window, headers, confirmed))) {
        this.afterClock = () => this.unlockByCard(text, true);
        return;
      }
      this.desk.change({ unlock: { kind: "sending" } });
      const acks: Ack[] = [];
      for (const { header, half } of given.sort((a, b) => a.header.envelope - b.header.envelope)) {
        const message = buildCardUnlock(manifest.suite, {
          tender_id: manifest.tender_id,
          opening_nonce: nonceOf(window, header.envelope),
          bid_id: header.bid_id,
          bidder_half: half,
        }).raw;
        const result = await this.desk.store.ask(this.desk.id, "card_unlock", { message });
        acks.push(...checkedAcks(result, [message], ACK_CARD_UNLOCK, manifest));
      }
      if (given.length < headers.length) throw new Rejected("card.missing");
      this.done(acks);
    });
  }

  /** s_H of every own bid of this session, computed from the own seed (C8). */
  async selfRelease(): Promise<void> {
    const manifest = await this.desk.rules();
    const window = this.window();
    const headers = await this.sessionHeaders(manifest, this.bids());
    const box = new BoxKey(this.desk.openKeys().boxSeed);
    const messages = headers.map(
      (header) =>
        buildSelfRelease(manifest.suite, {
          tender_id: manifest.tender_id,
          opening_nonce: nonceOf(window, header.envelope),
          bid_id: header.bid_id,
          host_half: hostHalf(manifest.suite, unsealSeed(header, box)),
        }).raw,
    );
    const result = await this.desk.store.ask(this.desk.id, "self_release", { messages });
    checkedAcks(result, messages, ACK_SELF_RELEASE, manifest);
  }

  // -- inside

  private async guarded(act: () => Promise<void>): Promise<void> {
    this.desk.change({ unlock: { kind: "checking" }, trouble: null });
    try {
      await act();
    } catch (error) {
      const trouble = troubleOf(error, clock.now());
      // Another device of ours was faster: that is success, and the party's channel says when.
      if (trouble.code === "unlock.already") {
        this.desk.change({ unlock: { kind: "idle" } });
        return;
      }
      this.desk.change({ unlock: { kind: "failed", trouble } });
      if (!(error instanceof Refused)) this.report(trouble.code);
    }
  }

  /** A failure on the device is told without any half: it is evidence, and lets the host help. */
  private report(code: string): void {
    const [bid] = this.bids();
    const id = bid && Object.values(bid.envelopes)[0];
    if (id === undefined || !/^[a-z_]{1,32}\.[a-z_]{1,32}$/.test(code)) return;
    const told = this.desk.store.ask(this.desk.id, "report_attempt", { bid_id: unhex(id), code });
    told.catch(() => {});
  }

  private window(): Window {
    const { window } = this.desk.opening;
    if (window === null) throw new Refused("unlock.before_window");
    return window;
  }

  private bids(): readonly Bid[] {
    return ownBids(this.desk.opening, me.value.org, ownBidIds(this.desk.view.value));
  }

  private async sessionHeaders(
    manifest: TenderManifest,
    bids: readonly Bid[],
  ): Promise<readonly Header[]> {
    this.desk.own ??= await mine(this.desk.id);
    const headers = headersOf(this.desk.own, manifest);
    const ids = bids.flatMap((bid) =>
      sessionEnvelopes(this.desk.opening, bid).map((envelope) => bid.envelopes[envelope] as string),
    );
    const found = ids.flatMap((id) => headers.get(id) ?? []);
    if (found.length === 0 || found.length < ids.length) throw new Rejected("unlock.bid_unknown");
    return found;
  }

  private halvesOf(headers: readonly Header[]): Map<string, Bytes> {
    try {
      return ownHalves(headers, this.desk.openKeys());
    } catch (error) {
      const isKey = error instanceof Rejected && error.code.startsWith("seed.");
      throw isKey ? new Rejected("unlock.key_mismatch") : error;
    }
  }

  /** All checks of C7 for every own SUBMIT concerned. False: a person was asked about the clock. */
  private async mayHandOver(
    manifest: TenderManifest,
    window: Window,
    headers: readonly Header[],
    confirmed: boolean,
  ): Promise<boolean> {
    const { submits } = this.desk.view.value;
    const concerned = submits.filter((submit) =>
      headers.some((header) => submit.bidIds.includes(hex(header.bid_id))),
    );
    for (const submit of concerned) {
      const ofSubmit = headers.filter((header) => submit.bidIds.includes(hex(header.bid_id)));
      const verdict = await this.checkOne(manifest, window, ofSubmit, submit.sha256, confirmed);
      if (verdict.ok) continue;
      if (verdict.code === "clock.slow" && verdict.deadline_ms !== null) {
        const deadlineMs = verdict.deadline_ms;
        this.desk.change({ unlock: { kind: "ask_clock", deviceMs: Date.now(), deadlineMs } });
        return false;
      }
      throw new Rejected(verdict.code);
    }
    return concerned.length > 0;
  }

  private async checkOne(
    manifest: TenderManifest,
    window: Window,
    headers: readonly Header[],
    submitSha256: string,
    confirmed: boolean,
  ) {
    const own = await this.ownSubmit(submitSha256);
    const { path } = await closedPath(this.desk.id, submitSha256);
    return onceLogged(async (isFresh) => {
      const shown = await this.shown(window, isFresh);
      const from = "receipt" in own ? readCheckpoint(own.receipt.checkpoint).size : null;
      const to = readCheckpoint(shown.checkpoint).size;
      const grown = from !== null && from < to ? await consistency(from, to) : undefined;
      return checkBeforeUnlock({
        manifest,
        own,
        checkpoint: shown.checkpoint,
        proofs: allProofs(shown),
        ...(grown === undefined ? {} : { consistency: grown }),
        closed_path: path,
        windows: headers.map((header) => ({
          envelope: header.envelope,
          w: window.w,
          nonce: nonceOf(window, header.envelope),
          header,
        })),
        now_ms: Date.now(),
        deadlineConfirmed: confirmed,
      });
    });
  }

  /** The receipt this device kept itself, before the one that the server gives now. */
  private async ownSubmit(sha256: string): Promise<Checked> {
    const kept = await recall<Bytes>(`receipt:${sha256}`);
    if (kept !== null) return { receipt: parseReceipt(kept) };
    const given = receiptOf(this.desk.view.value.receipts, sha256);
    if (given !== null) return { receipt: given };
    const message = this.desk.own?.submits.find((one) => one.sha256 === sha256)?.message;
    if (message === undefined) throw new Rejected("unlock_check.receipt");
    return { message: unhex(message) };
  }

  private async shown(window: Window, isFresh: boolean): Promise<Proofs> {
    if (!isFresh && this.prepared?.nonce === nonceName(window)) return this.prepared.answer;
    const answer = await proofs(this.desk.id);
    this.prepared = { nonce: nonceName(window), answer };
    return answer;
  }

  private done(acks: readonly Ack[]): void {
    const receivedMs = Math.max(...acks.map((ack) => ack.server_ms));
    const file = encode({
      acks: acks.map((ack) => hex(ack.raw)),
      messages_sha256: acks.map((ack) => hex(ack.message_sha256)),
    });
    this.desk.change({
      unlock: { kind: "done", receivedMs },
      unlockReceipt: { name: `${this.desk.id}.unlock.json`, file },
    });
  }
}

const nonceName = (window: Window): string => `${window.session}.${window.w}`;

function nonceOf(window: Window, envelope: number): Bytes {
  const nonce = window.nonces[envelope];
  if (nonce === undefined) throw new Rejected("unlock.envelope");
  return unhex(nonce);
}

function byEnvelope(headers: readonly Header[]): [number, Header[]][] {
  const map = new Map<number, Header[]>();
  for (const header of headers) {
    map.set(header.envelope, [...(map.get(header.envelope) ?? []), header]);
  }
  return [...map].sort((a, b) => a[0] - b[0]);
}

/** The card of one line; what is wrong with it is said with the line's number. */
function cardOnLine(
  line: string,
  number: number,
  manifest: TenderManifest,
  headers: readonly Header[],
): { header: Header; half: Bytes } {
  try {
    const card: Card = parseCard(line, manifest.suite);
    const start = hex(card.bid_id_start);
    const header = headers.find((one) => hex(one.bid_id).startsWith(start));
    if (header === undefined) throw new Rejected("card.unknown");
    return { header, half: card.bidder_half };
  } catch (error) {
    if (!(error instanceof Rejected)) throw error;
    throw new Refused(error.code, false, { line: number });
  }
}

/**
 * The unlock card (解密卡): one bid's s_B on paper, in characters that people can type (C8).
 *
 * Invariant: a card carries the bidder half and never the seed, so with the card alone nobody can
 * read. Bytes: 01 ‖ first 8 bytes of bid_id ‖ s_B ‖ checksum. Text: Base32 in groups of four.
 */
import { type Bytes, base32, concat, equal, u8, unbase32 } from "./bytes.ts";
import { assert, Rejected } from "./errors.ts";
import { cardCheck } from "./schedule.ts";
import type { Suite } from "./suites/index.ts";

const VERSION = 1;
const PREFIX = 8;
const TEXT_MAX = 1024;

/** What a card says; `bid_id_start` is to be compared with bid_ids, not trusted. */
export interface Card {
  readonly bid_id_start: Bytes;
  readonly bidder_half: Bytes;
}

/** The card's text: for nacl-1 72 characters in 18 groups. */
export function cardText(bidId: Uint8Array, sB: Uint8Array, suite: Suite): string {
  assert(sB.length === suite.sizes.bidderHalf, "the suite's bidder half");
  const body = concat(u8(VERSION), bidId.subarray(0, PREFIX), sB);
  const letters = base32(concat(body, cardCheck(suite, body)));
  return (letters.match(/.{1,4}/g) ?? []).join(" ");
}

/**
 * Read a typed or scanned card; case, blanks and hyphens do not matter.
 *
 * Codes: card. length, alphabet, checksum (a typing error), version, in this order.
 */
export function parseCard(text: string, suite: Suite): Card {
  const characters = [...text.slice(0, 2 * TEXT_MAX + 2)];
  if (characters.length > TEXT_MAX) throw new Rejected("card.length");
  const letters = characters.filter((character) => !" \t\r\n-".includes(character));
  const bodySize = 1 + PREFIX + suite.sizes.bidderHalf;
  if (letters.length * 5 !== (bodySize + suite.sizes.cardCheck) * 8) {
    throw new Rejected("card.length");
  }
  // Only a-z become capitals: upper-casing folds some foreign letters into ASCII.
  const capitals = letters.map((letter) =>
    /^[a-z]$/.test(letter) ? letter.toUpperCase() : letter,
  );
  const raw = unbase32(capitals.join(""), "card.alphabet");
  const body = raw.slice(0, bodySize);
  if (!equal(raw.subarray(bodySize), cardCheck(suite, body))) throw new Rejected("card.checksum");
  if (body[0] !== VERSION) throw new Rejected("card.version");
  return { bid_id_start: body.slice(1, 1 + PREFIX), bidder_half: body.slice(1 + PREFIX) };
}

/**
 * Text, money, rates and days as they stand in documents (文本与数字的写法).
 *
 * Invariant: what is accepted here has exactly one spelling, so two programs that read the same
 * form hold the same values. Texts are NFC and of the fixed set of `code_points.ts`; NFKC is *not*
 * applied, it would refuse lawful names such as 有限公司（北京）. Numbers are ASCII, matched against
 * the whole string, and become integers at once: money in fen (分), at most 10^15-1 and therefore
 * safe as a number; rates in units of their last digit. No float touches either.
 */
import { isAllowed } from "./code_points.ts";
import { assert, Rejected } from "./errors.ts";

export const MONEY_FEN_MAX = 10 ** 15 - 1;
export const DAYS_MAX = 36_500;

// In JavaScript `$` without the flag m matches only at the very end.
const MONEY = /^(0|[1-9][0-9]{0,12})\.([0-9]{2})$/;
const RATE = /^(0|[1-9][0-9]{0,2})\.([0-9]{1,4})$/;

/** `text` itself, if it has low..high code points, all allowed, and is NFC. */
export function checkText(text: string, low: number, high: number): string {
  const characters = [...text];
  if (characters.length < low || characters.length > high) throw new Rejected("text.length");
  for (const character of characters) {
    const point = character.codePointAt(0) as number;
    if (!isAllowed(point)) throw new Rejected("text.code_point", `U+${point.toString(16)}`);
  }
  if (text.normalize("NFC") !== text) throw new Rejected("text.not_nfc");
  return text;
}

/** Fen of an amount in yuan with two digits, "71000000.00". */
export function parseMoney(text: string): number {
  const found = MONEY.exec(text);
  if (found === null) throw new Rejected("money.form");
  return Number(found[1]) * 100 + Number(found[2]);
}

/** The document's spelling of `fen`. */
export function moneyText(fen: number): string {
  const ok = Number.isSafeInteger(fen) && fen >= 0 && fen <= MONEY_FEN_MAX;
  if (!ok) throw new Rejected("money.range");
  const cents = String(fen % 100).padStart(2, "0");
  return `${Math.floor(fen / 100)}.${cents}`;
}

/** A percentage 0..999 with exactly `digits` decimals, in units of the last: "12.50" is 1250. */
export function parseRate(text: string, digits: number): number {
  const found = RATE.exec(text);
  if (found === null || (found[2] as string).length !== digits) throw new Rejected("rate.form");
  return Number(`${found[1]}${found[2]}`);
}

/** The document's spelling of a percentage in units of its last digit. */
export function rateText(units: number, digits: number): string {
  assert(digits >= 1 && digits <= 4, "one to four decimals");
  const scale = 10 ** digits;
  const ok = Number.isSafeInteger(units) && units >= 0 && units < 1000 * scale;
  if (!ok) throw new Rejected("rate.range");
  return `${Math.floor(units / scale)}.${String(units % scale).padStart(digits, "0")}`;
}

/** `days` itself, if 1..high. */
export function checkDays(days: number, high: number): number {
  if (days < 1 || days > high) throw new Rejected("days.range");
  return days;
}

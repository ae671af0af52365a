/**
 * Amounts of money as people see them: grouped figures, and words (人民币大写).
 *
 * Invariant: no float ever holds an amount. A document's amount is text of yuan with two digits
 * (C18); figures and words are made from that text alone.
 */

const AMOUNT = /^(0|[1-9][0-9]{0,12})\.([0-9]{2})$/;
const DIGITS = "零壹贰叁肆伍陆柒捌玖";
const PLACES = ["", "拾", "佰", "仟"] as const;

/** Is `text` an amount as the form wants it, such as `71000000.00`? */
export function isAmount(text: string): boolean {
  return AMOUNT.test(text);
}

/**
 * The amount that a person meant by what he typed, or null.
 *
 * Spaces and thousands separators go, missing digits of fen are filled with zeros; nothing is
 * rounded: a third decimal is refused, because only the bidder may decide what it becomes.
 */
export function typedAmount(typed: string): string | null {
  const plain = typed.replace(/[\s,，_]/gu, "").replace(/[０-９．。]/gu, asciiDigit);
  const match = /^0*([0-9]{1,13})(?:\.([0-9]{0,2}))?$/.exec(plain);
  if (!match) return null;
  return `${match[1]}.${(match[2] ?? "").padEnd(2, "0")}`;
}

function asciiDigit(wide: string): string {
  if (wide === "．" || wide === "。") return ".";
  return String.fromCharCode(wide.charCodeAt(0) - 0xfee0);
}

/** `71000000.00` -> `71,000,000.00`. Anything else is shown as it is. */
export function grouped(amount: string): string {
  const match = AMOUNT.exec(amount);
  if (!match) return amount;
  return `${(match[1] as string).replace(/\B(?=(\d{3})+$)/g, ",")}.${match[2]}`;
}

/** Words of an amount, after the rules for bills (支付结算办法 附一); "" for what is no amount. */
export function inWords(amount: string): string {
  const match = AMOUNT.exec(amount);
  if (!match) return "";
  const yuan = match[1] as string;
  const [jiao, fen] = [...(match[2] as string)].map(Number) as [number, number];
  const whole = yuan === "0" ? "" : `${wholeWords(yuan)}元`;
  if (jiao === 0 && fen === 0) return `${whole || "零元"}整`;
  const gap = jiao === 0 && whole ? "零" : "";
  const tenths = jiao === 0 ? "" : `${DIGITS[jiao]}角`;
  return `${whole}${gap}${tenths}${fen === 0 ? "" : `${DIGITS[fen]}分`}`;
}

/** Words of a positive whole number of up to 13 digits. */
function wholeWords(digits: string): string {
  if (digits.length > 8) return joined(digits.slice(0, -8), "亿", digits.slice(-8));
  if (digits.length > 4) return joined(digits.slice(0, -4), "万", digits.slice(-4));
  return groupWords(digits);
}

function joined(high: string, unit: string, low: string): string {
  const rest = low.replace(/^0+/, "");
  if (rest === "") return `${wholeWords(high)}${unit}`;
  const gap = low.startsWith("0") ? "零" : "";
  return `${wholeWords(high)}${unit}${gap}${wholeWords(rest)}`;
}

function groupWords(digits: string): string {
  let words = "";
  let pendingZero = false;
  for (const [at, digit] of [...digits].entries()) {
    if (digit === "0") {
      pendingZero = words !== "";
      continue;
    }
    const place = PLACES[digits.length - 1 - at];
    words += `${pendingZero ? "零" : ""}${DIGITS[Number(digit)]}${place}`;
    pendingZero = false;
  }
  return words;
}

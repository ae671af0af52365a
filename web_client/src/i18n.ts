/**
 * The words of the pages: Chinese first, English one click away (界面语言).
 *
 * Invariant: every user-visible word comes from server/locale/*.json, whose two files have the same
 * keys. Switching keeps the page and its state: texts are read through a signal.
 * Placeholders: `{name}`, and `{n:bid|bids}`, which picks by n = 1 or not.
 */
import { signal } from "@preact/signals";
import en from "../../server/locale/en.json";
import zh from "../../server/locale/zh_CN.json";

export type Locale = "zh-CN" | "en";
export type TextKey = keyof typeof zh;
export type TextArgs = Readonly<Record<string, string | number>>;

const PLACEHOLDER = /\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g;
const STORED = "kaibiao.locale";
const TEXTS: Readonly<Record<Locale, Readonly<Record<string, string>>>> = { "zh-CN": zh, en };

function firstLocale(): Locale {
  try {
    return localStorage.getItem(STORED) === "en" ? "en" : "zh-CN";
  } catch {
    return "zh-CN"; // storage is refused in some private windows
  }
}

export const locale = signal<Locale>(firstLocale());

export function setLocale(next: Locale): void {
  locale.value = next;
  document.documentElement.lang = next;
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // Then the choice lasts as long as the page.
  }
}

/** The text of `key` in the present language. */
export function t(key: TextKey, args: TextArgs = {}): string {
  return fill(TEXTS[locale.value][key] as string, args);
}

/** The text of a key that came from outside, such as a refusal code; null when there is none. */
export function maybeText(key: string, args: TextArgs = {}): string | null {
  const text = TEXTS[locale.value][key];
  return text === undefined ? null : fill(text, args);
}

/** The blank between a Chinese word and a figure; a line must not begin or end there. */
const BLANK = /(?<=[\u4e00-\u9fff]) (?=\d)|(?<=\d) (?=[\u4e00-\u9fff])/g;

export function fill(text: string, args: TextArgs): string {
  const filled = text.replace(
    PLACEHOLDER,
    (whole: string, name: string, one?: string, many?: string) => {
      const value = args[name];
      if (value === undefined) return whole;
      if (many === undefined) return String(value);
      return (value === 1 ? one : many) ?? "";
    },
  );
  return filled.replace(BLANK, "\u00a0");
}

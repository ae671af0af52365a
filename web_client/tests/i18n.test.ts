/** Words: both languages complete, every refusal told, every placeholder filled. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { fill } from "../src/i18n.ts";
import { REFUSALS } from "../src/messages.ts";
import { announcementText } from "../src/ui/broadcast.tsx";
import { refusalText } from "../src/ui/refusal.tsx";
import { ENTER_KINDS } from "./kinds.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (name: string) => readFileSync(`${root}server/locale/${name}.json`, "utf8");
const zhText = read("zh_CN");
const enText = read("en");
const zh = JSON.parse(zhText) as Record<string, string>;
const en = JSON.parse(enText) as Record<string, string>;

describe("the locale files", () => {
  it("have the same keys, sorted, each once", () => {
    const keys = (text: string) => [...text.matchAll(/^ {2}"([^"]+)":/gm)].map((m) => m[1]);
    expect(keys(zhText)).toEqual(keys(enText));
    expect(keys(zhText)).toEqual([...keys(zhText)].sort());
    expect(new Set(keys(zhText)).size).toBe(keys(zhText).length);
  });

  it("leave no text empty", () => {
    for (const [key, text] of [...Object.entries(zh), ...Object.entries(en)]) {
      expect(text.trim(), key).not.toBe("");
    }
  });

  it("use the same placeholders in both languages", () => {
    const names = (text: string) =>
      [...new Set([...text.matchAll(/\{(\w+)/g)].map((match) => match[1]))].sort();
    for (const key of Object.keys(zh)) {
      // A plural of one language may need a number that the other does not repeat.
      expect(names(en[key] as string), key).toEqual(names(zh[key] as string));
    }
  });

  it("speak without exclamation marks and without the words that say nothing", () => {
    for (const [key, text] of [...Object.entries(zh), ...Object.entries(en)]) {
      expect(text, key).not.toMatch(/[!！]|请稍候|系统繁忙|\bOK\b/);
    }
  });

  it("hold no text that no page uses", () => {
    const sources = sourcesOf(`${root}web_client/src`, /\.tsx?$/, "crypto");
    const unused = Object.keys(zh).filter((key) => {
      if (key.startsWith("refusal.")) return false;
      if (sources.includes(`"${key}"`)) return false;
      const [head] = key.split(/[.](?=[^.]*$)/);
      return (
        !sources.includes(`\`${head}.\${`) && !/_(money|rate|days|text|log|time|set)$/.test(key)
      );
    });
    expect(unused).toEqual([]);
  });
});

/** The text of every file below `folder` whose name fits; folders named `without` are left out. */
function sourcesOf(folder: string, fits: RegExp, without = ""): string {
  return readdirSync(folder, { withFileTypes: true })
    .map((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return entry.name === without ? "" : sourcesOf(path, fits, without);
      return fits.test(entry.name) ? readFileSync(path, "utf8") : "";
    })
    .join("\n");
}

const FILES = /\.(jsonl?|kbh|kbc|kbk|txt|ts|tsx|zip)$/;
const STORED = /^kaibiao\./;

/** Codes that the client makes: thrown anywhere, and every `"noun.reason"` of what is no page. */
function codesOf(folder: string): ReadonlySet<string> {
  const all = sourcesOf(folder, /\.tsx?$/);
  const codes = [...all.matchAll(/(?:Rejected|Refused)\(\s*"([a-z_]+\.[a-z0-9_]+)"/g)];
  for (const part of ["crypto", "net", "device"]) {
    const source = sourcesOf(`${folder}/${part}`, /\.ts$/);
    codes.push(...source.matchAll(/["`]([a-z_]+\.[a-z0-9_]+)(?=["`]|\$\{)/g));
  }
  return new Set(
    codes
      .map((found) => found[1] as string)
      .filter((code) => !FILES.test(code) && !STORED.test(code) && !(code in zh)),
  );
}

/** Written whole, or put together: `noun.${reason}`, f"noun.{reason}", `${noun}.reason`. */
function isMade(code: string, sources: string): boolean {
  const [noun, reason] = code.split(".") as [string, string];
  if (reason === "other") return new RegExp(`["\`]${noun}["\`.]`).test(sources);
  if (sources.includes(code)) return true;
  const isNoun = sources.includes(`\`${noun}.\${`) || sources.includes(`f"${noun}.{`);
  return isNoun || (sources.includes(`"${noun}"`) && sources.includes(`.${reason}\``));
}

describe("refusals", () => {
  it("each have a text in both languages: what happened, is the bid safe, what to do", () => {
    for (const code of Object.keys(REFUSALS)) {
      for (const texts of [zh, en]) {
        const text = texts[`refusal.${code}`];
        expect(text, code).toBeDefined();
        const parts = (text as string).split("|").map((part) => part.trim());
        expect(parts.length, code).toBe(3);
        expect(
          parts.every((part) => part !== ""),
          code,
        ).toBe(true);
      }
    }
  });

  it("that this client makes itself have a text too, their own or their noun's", () => {
    const made = codesOf(`${root}web_client/src`);
    expect(made.size).toBeGreaterThan(150);
    for (const texts of [zh, en]) {
      const silent = [...made].filter(
        (code) => !(`refusal.${code}` in texts || `refusal.${code.split(".")[0]}.other` in texts),
      );
      expect(silent).toEqual([]);
    }
  });

  it("with words are codes that somebody makes", () => {
    const sources = [
      sourcesOf(`${root}web_client/src`, /\.tsx?$/),
      ...["crypto", "media", "server", "signaling"].map((name) => sourcesOf(root + name, /\.py$/)),
    ].join("\n");
    const unsaid = Object.keys(zh)
      .filter((key) => /^refusal\.\w+\.\w+$/.test(key))
      .map((key) => key.slice("refusal.".length))
      .filter((code) => !isMade(code, sources));
    expect(unsaid).toEqual([]);
  });

  it("fall back on their noun, then on the general text", () => {
    expect(refusalText("proof.root").title).toBe(refusalText("closing.missing").title);
    expect(refusalText("unheard.of").title).toBe(
      (zh["refusal.other"] as string).split("|")[0]?.trim(),
    );
  });

  it("say the moments that the server sent, and nothing where it sent none", () => {
    const late = refusalText("unlock.window_closed", {
      end_ms: 1_795_140_060_000,
      received_ms: 1_795_140_060_214,
    });
    expect(late.title).toContain("10:01:00.000");
    expect(late.title).toContain("10:01:00.214");
    expect(refusalText("unlock.window_closed").title).not.toMatch(/[{}（]/);
  });
});

describe("placeholders", () => {
  it("are filled, with the plural that fits", () => {
    expect(fill("{n} {n:bid|bids}", { n: 1 })).toBe("1 bid");
    expect(fill("{n} {n:bid|bids}", { n: 66 })).toBe("66 bids");
    expect(fill("{missing}", {})).toBe("{missing}");
  });

  it("of every announcement are filled", () => {
    for (const { kind, args } of ENTER_KINDS) {
      const text = announcementText({ id: 1, atMs: 0, kind, args, urgent: false });
      expect(text, kind).not.toMatch(/[{}]/);
    }
  });
});

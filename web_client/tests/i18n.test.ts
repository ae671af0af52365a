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
    const sources = sourcesOf(`${root}web_client/src`);
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

function sourcesOf(folder: string): string {
  return readdirSync(folder, { withFileTypes: true })
    .map((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return entry.name === "crypto" ? "" : sourcesOf(path);
      return /\.tsx?$/.test(entry.name) ? readFileSync(path, "utf8") : "";
    })
    .join("\n");
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

/**
 * Canonical JSON (RFC 8785): writing it, and reading only it (C18).
 *
 * Invariant: `decode(raw)` succeeds only for bytes that `encode` would write. Two programs can
 * therefore never read two meanings out of one document: no repeated members, no lone surrogates,
 * no numbers that lose digits, no spaces. `JSON.parse` forgives all of these and is not used.
 *
 * Codes, decided in this order as in the Python package: `json.size`, `json.utf8` (or a byte order
 * mark), `json.depth` (brackets outside of strings), `json.syntax`, `json.not_canonical` (JSON, but
 * not its own RFC 8785 form or not of our kinds of value).
 */
import { type Bytes, equal, utf8 } from "./bytes.ts";
import { assert, Rejected } from "./errors.ts";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [member: string]: Json;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JCS bytes. Numbers must be integers within ±(2^53-1); anything else is our error. */
export function encode(value: Json): Bytes {
  return utf8(text(value));
}

function text(value: Json): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") {
    assert(!LONE_SURROGATE.test(value), "no lone surrogates in what we write");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    assert(Number.isSafeInteger(value), "numbers we write are safe integers");
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map(text).join(",")}]`;
  const object = value as JsonObject;
  // JCS sorts by UTF-16 code units, which is JavaScript's default order.
  const members = Object.keys(object).sort();
  return `{${members.map((name) => `${text(name)}:${text(object[name] as Json)}`).join(",")}}`;
}

/**
 * The value of canonical JSON bytes.
 *
 * Objects have no prototype, so a member called `__proto__` is only a member. `depthMax` counts
 * brackets: `{"a":[]}` has depth 2.
 */
export function decode(raw: Uint8Array, limits: { sizeMax: number; depthMax: number }): Json {
  if (raw.length > limits.sizeMax) throw new Rejected("json.size");
  let source: string;
  try {
    source = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    throw new Rejected("json.utf8");
  }
  if (source.startsWith("\ufeff")) throw new Rejected("json.utf8");
  if (isDeeper(source, limits.depthMax)) throw new Rejected("json.depth");
  const parser = new Parser(source);
  const value = parser.document();
  if (parser.isForeign || !equal(encode(value), raw)) throw new Rejected("json.not_canonical");
  return value;
}

/** Before parsing, so that hostile nesting never becomes recursion. */
function isDeeper(source: string, depthMax: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < source.length; at++) {
    const character = source[at];
    if (inString) {
      if (character === "\\") at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "[" || character === "{") {
      if (++depth > depthMax) return true;
    } else if (character === "]" || character === "}") depth--;
  }
  return false;
}

const ESCAPES: Record<string, string> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class Parser {
  /** Something was read that JSON can say and we cannot; judged once all of it is JSON. */
  isForeign = false;
  private at = 0;
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  document(): Json {
    this.space();
    const value = this.value();
    this.space();
    if (this.at !== this.source.length) throw new Rejected("json.syntax");
    return value;
  }

  private value(): Json {
    const character = this.source[this.at];
    if (character === "{") return this.object();
    if (character === "[") return this.array();
    if (character === '"') return this.string();
    if (character === "-" || (character !== undefined && character >= "0" && character <= "9")) {
      return this.number();
    }
    for (const [word, meaning] of [
      ["true", true],
      ["false", false],
      ["null", null],
    ] as const) {
      if (this.source.startsWith(word, this.at)) {
        this.at += word.length;
        return meaning;
      }
    }
    throw new Rejected("json.syntax");
  }

  private object(): JsonObject {
    const out: Record<string, Json> = Object.create(null);
    this.at++;
    this.space();
    if (this.accept("}")) return out;
    do {
      this.space();
      if (this.source[this.at] !== '"') throw new Rejected("json.syntax");
      const name = this.string();
      if (name in out) this.isForeign = true;
      this.space();
      this.expect(":");
      this.space();
      out[name] = this.value();
      this.space();
    } while (this.accept(","));
    this.expect("}");
    return out;
  }

  private array(): Json[] {
    const out: Json[] = [];
    this.at++;
    this.space();
    if (this.accept("]")) return out;
    do {
      this.space();
      out.push(this.value());
      this.space();
    } while (this.accept(","));
    this.expect("]");
    return out;
  }

  private string(): string {
    this.at++;
    let out = "";
    for (;;) {
      const character = this.source[this.at++];
      if (character === undefined || character < " ") throw new Rejected("json.syntax");
      if (character === '"') break;
      out += character === "\\" ? this.escape() : character;
    }
    if (LONE_SURROGATE.test(out)) this.isForeign = true;
    return out;
  }

  private escape(): string {
    const letter = this.source[this.at++] ?? "";
    if (letter === "u") {
      const digits = this.source.slice(this.at, this.at + 4);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new Rejected("json.syntax");
      this.at += 4;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    if (!Object.hasOwn(ESCAPES, letter)) throw new Rejected("json.syntax");
    return ESCAPES[letter] as string;
  }

  private number(): number {
    const sticky = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
    sticky.lastIndex = this.at;
    const match = sticky.exec(this.source)?.[0];
    if (match === undefined) throw new Rejected("json.syntax");
    this.at += match.length;
    const value = Number(match);
    if (/[.eE]/.test(match) || !Number.isSafeInteger(value)) this.isForeign = true;
    return value;
  }

  private space(): void {
    while (" \t\n\r".includes(this.source[this.at] ?? "x")) this.at++;
  }

  private accept(character: string): boolean {
    if (this.source[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private expect(character: string): void {
    if (!this.accept(character)) throw new Rejected("json.syntax");
  }
}

/**
 * The messages of the fragment stream (片段消息), and where a player should stand in them.
 *
 * Invariant: pure; nothing is handed to a player before the init segments of all its streams are
 * there, and no fragment before its own. The format is that of `media/fragments/hub.py`.
 */

export type Kind = "video" | "audio";

export type Piece =
  /** Begin anew, with one buffer per stream; these are its first bytes. */
  | { readonly kind: "begin"; readonly streams: readonly { mime: string; init: ArrayBuffer }[] }
  /** The stream changes its format in place. */
  | { readonly kind: "format"; readonly stream: number; mime: string; init: ArrayBuffer }
  | { readonly kind: "media"; readonly stream: number; readonly bytes: ArrayBuffer };

const LAYOUT = 0;
const INIT = 1;
const FRAGMENT = 2;
const HEAD_BYTES = 24;
const EARLY_MAX = 200;

export class FragmentReader {
  /** Kinds of the present streams; empty before the first layout. */
  kinds: readonly Kind[] = [];
  /** UTC ms of the server's clock at media time 0; null before the first fragment. */
  zeroMs: number | null = null;
  /** Fragments that the server left out for us: we were too slow. */
  skipped = 0;
  private inits: ({ mime: string; init: ArrayBuffer } | undefined)[] = [];
  private hasBegun = false;
  private early: Piece[] = [];
  private serial: number | null = null;

  /** What a message asks of the player; throws RangeError on one that is cut. */
  read(message: ArrayBuffer): readonly Piece[] {
    const view = new DataView(message);
    switch (view.getUint8(0)) {
      case LAYOUT:
        this.layout(new TextDecoder().decode(new Uint8Array(message, 1)));
        return [];
      case INIT: {
        const size = view.getUint16(2);
        const mime = new TextDecoder().decode(new Uint8Array(message, 4, size));
        return this.init(view.getUint8(1), mime, message.slice(4 + size));
      }
      case FRAGMENT:
        return this.fragment(view, message);
      default:
        return []; // of a later server
    }
  }

  private layout(json: string): void {
    const { streams } = JSON.parse(json) as { streams: readonly Kind[] };
    this.kinds = streams;
    this.inits = [];
    this.hasBegun = false;
    this.early = [];
    this.serial = null;
  }

  private init(stream: number, mime: string, init: ArrayBuffer): readonly Piece[] {
    if (stream >= this.kinds.length) return [];
    this.inits[stream] = { mime, init };
    if (this.hasBegun) return [{ kind: "format", stream, mime, init }];
    const all = this.kinds.map((_, at) => this.inits[at]);
    if (!all.every((one) => one !== undefined)) return [];
    this.hasBegun = true;
    const early = this.early;
    this.early = [];
    return [{ kind: "begin", streams: all }, ...early];
  }

  private fragment(view: DataView, message: ArrayBuffer): readonly Piece[] {
    const stream = view.getUint8(1);
    const serial = view.getUint32(4);
    if (this.serial !== null && serial !== (this.serial + 1) >>> 0) this.skipped += 1;
    this.serial = serial;
    const utcMs = Number(view.getBigUint64(8));
    this.zeroMs = utcMs - Number(view.getBigUint64(16)) / 1000;
    const piece: Piece = { kind: "media", stream, bytes: message.slice(HEAD_BYTES) };
    if (this.hasBegun) return [piece];
    if (this.early.length < EARLY_MAX) this.early.push(piece);
    return [];
  }
}

/** How far behind the newest picture a player stands when all is well, and when it is set forward. */
const BEHIND_S = 0.4;
const HURRY_S = 0.8;
const JUMP_S = 2;
const KEEP_S = 12;

export interface Standing {
  /** Where to jump to; null: stay. */
  readonly seekS: number | null;
  readonly rate: number;
  /** What lies before may be thrown away; null: nothing yet. */
  readonly trimS: number | null;
}

/** `ranges`: what is buffered, seconds, rising; `atS`: where the player is. */
export function follow(ranges: readonly (readonly [number, number])[], atS: number): Standing {
  const last = ranges.at(-1);
  if (last === undefined) return { seekS: null, rate: 1, trimS: null };
  const [start, end] = last;
  const behind = end - atS;
  const isOutside = atS < start || behind > JUMP_S || behind < -BEHIND_S;
  return {
    seekS: isOutside ? Math.max(start, end - BEHIND_S) : null,
    rate: !isOutside && behind > HURRY_S ? 1.1 : 1,
    trimS: trimmed(ranges, end),
  };
}

/** Up to where what was played may be thrown away; null: it is not worth the work yet. */
export function trimmed(
  ranges: readonly (readonly [number, number])[],
  endS: number,
): number | null {
  const isLong = endS > KEEP_S && (ranges[0]?.[0] ?? 0) < endS - 2 * KEEP_S;
  return isLong ? endS - KEEP_S : null;
}

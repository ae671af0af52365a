/**
 * Frames of protocol v1: msgpack arrays whose first item names them.
 *
 * Invariant: what comes out of `readFrame` has the shape its type says; anything else is null and
 * ends the connection, because a client that guesses shows wrong things.
 */
import { decode, encode } from "@msgpack/msgpack";

export const SUBPROTOCOL = "kaibiao.v1+msgpack";
const FRAME_BYTES_MAX = 32 * 1024 * 1024;

/** A place in a channel: everything up to `seq` of `epoch` has been applied. */
export interface Position {
  readonly room: string;
  readonly audience: string;
  readonly epoch: number;
  readonly seq: number;
}

export interface EventFrame {
  readonly room: string;
  readonly audience: string;
  readonly epoch: number;
  readonly seq: number;
  readonly serverMs: number;
  readonly type: string;
  readonly body: unknown;
  readonly hash: Uint8Array;
}

export type Detail = Readonly<Record<string, unknown>>;

export type ServerFrame =
  | { readonly kind: "welcome"; readonly serverMs: number; readonly pingS: number; readonly me: Me }
  | {
      readonly kind: "ok";
      readonly n: number;
      readonly commandId: string;
      readonly result: unknown;
    }
  | {
      readonly kind: "err";
      readonly n: number;
      readonly commandId: string;
      readonly code: string;
      readonly retryable: boolean;
      readonly detail: Detail;
    }
  | { readonly kind: "events"; readonly events: readonly EventFrame[] }
  | { readonly kind: "presence"; readonly room: string; readonly counts: Detail }
  | { readonly kind: "pong"; readonly t0: number; readonly serverMs: number }
  | {
      readonly kind: "bye";
      readonly code: number;
      readonly reason: string;
      readonly reconnectAfterMs: number;
    }
  | { readonly kind: "unknown"; readonly name: string };

/** Who the connection belongs to; empty for the public. */
export interface Me {
  readonly person?: string;
  readonly role?: string;
  readonly org?: string;
  readonly name?: string;
  readonly org_name?: string;
}

type Wire = readonly [room: string, audience: string, epoch: number, seq: number];
const wire = (p: Position): Wire => [p.room, p.audience, p.epoch, p.seq];

export function helloFrame(ticket: string | null, positions: readonly Position[]): Uint8Array {
  return encode(["hello", 1, ticket, positions.map(wire)]);
}

export function subFrame(positions: readonly Position[]): Uint8Array {
  return encode(["sub", positions.map(wire)]);
}

export function unsubFrame(channels: readonly { room: string; audience: string }[]): Uint8Array {
  return encode(["unsub", channels.map((c) => [c.room, c.audience])]);
}

export function cmdFrame(
  n: number,
  commandId: string,
  room: string,
  op: string,
  args: object,
): Uint8Array {
  return encode(["cmd", n, commandId, room, op, args]);
}

export function pingFrame(t0: number): Uint8Array {
  return encode(["ping", t0]);
}

const isText = (value: unknown): value is string => typeof value === "string";
const isInt = (value: unknown): value is number => Number.isSafeInteger(value);

function isMap(value: unknown): value is Detail {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

/** The frame in `raw`; null when it is none of protocol v1. */
export function readFrame(raw: Uint8Array): ServerFrame | null {
  if (raw.length > FRAME_BYTES_MAX) return null;
  let frame: unknown;
  try {
    frame = decode(raw);
  } catch {
    return null;
  }
  if (!Array.isArray(frame) || !isText(frame[0])) return null;
  const reader = READERS[frame[0]];
  // A newer server may send more kinds; what is not understood is skipped, not fatal.
  return reader ? reader(frame) : { kind: "unknown", name: frame[0] };
}

type Reader = (frame: readonly unknown[]) => ServerFrame | null;

const READERS: Readonly<Record<string, Reader>> = {
  welcome: (frame) => {
    const [, , serverMs, pingS, , me] = frame;
    if (!isInt(serverMs) || typeof pingS !== "number") return null;
    return { kind: "welcome", serverMs, pingS, me: isMap(me) ? (me as Me) : {} };
  },
  ok: (frame) => {
    const [, n, commandId, result] = frame;
    return isInt(n) && isText(commandId) ? { kind: "ok", n, commandId, result } : null;
  },
  err: (frame) => {
    const [, n, commandId, code, retryable, detail] = frame;
    if (!isInt(n) || !isText(commandId) || !isText(code)) return null;
    const more = isMap(detail) ? detail : {};
    return { kind: "err", n, commandId, code, retryable: retryable === true, detail: more };
  },
  ev: (frame) => {
    const event = readEvent(frame);
    return event ? { kind: "events", events: [event] } : null;
  },
  batch: (frame) => {
    const list = frame[1];
    if (!Array.isArray(list)) return null;
    const events = list.map((item) => (Array.isArray(item) ? readEvent(item) : null));
    if (events.some((event) => event === null)) return null;
    return { kind: "events", events: events as EventFrame[] };
  },
  presence: (frame) => {
    const [, room, counts] = frame;
    return isText(room) && isMap(counts) ? { kind: "presence", room, counts } : null;
  },
  pong: (frame) => {
    const [, t0, serverMs] = frame;
    if (typeof t0 !== "number" || !isInt(serverMs)) return null;
    return { kind: "pong", t0, serverMs };
  },
  bye: (frame) => {
    const [, code, reason, after] = frame;
    if (!isInt(code)) return null;
    return {
      kind: "bye",
      code,
      reason: isText(reason) ? reason : "",
      reconnectAfterMs: typeof after === "number" ? after : 0,
    };
  },
};

/** `["ev", room, audience, epoch, seq, server_ms, type, body, hash]`; the body may be bytes. */
function readEvent(frame: readonly unknown[]): EventFrame | null {
  const [, room, audience, epoch, seq, serverMs, type, body, hash] = frame;
  if (!isText(room) || !isText(audience) || !isText(type)) return null;
  if (!isInt(epoch) || !isInt(seq) || !isInt(serverMs)) return null;
  return {
    room,
    audience,
    epoch,
    seq,
    serverMs,
    type,
    body: body instanceof Uint8Array ? innerBody(body) : body,
    hash: hash instanceof Uint8Array ? hash : new Uint8Array(),
  };
}

/** A body that travels as the stored bytes is msgpack inside msgpack. */
function innerBody(raw: Uint8Array): unknown {
  try {
    return decode(raw);
  } catch {
    return null;
  }
}

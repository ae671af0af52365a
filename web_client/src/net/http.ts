/**
 * Requests over HTTP: JSON where a person could read it, msgpack where bytes travel.
 *
 * Invariant: an answer that is not a success becomes `Refused` with the server's stable code; no
 * answer at all becomes `Unreachable`. Nothing else is thrown. The session of this tab travels in a
 * header of its own, so that two tabs of one browser can be two people.
 */
import { decode, encode } from "@msgpack/msgpack";
import { Refused } from "./commands.ts";
import type { PolledEvents } from "./fallback.ts";
import type { Detail, EventFrame, Position } from "./frames.ts";

/** Nothing came back: cut line, server down, or the request took too long. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super("unreachable", { cause });
    this.name = "Unreachable";
  }
}

const MSGPACK = "application/msgpack";
const JSON_TYPE = "application/json";
const REQUEST_MS_MAX = 15_000;
const SESSION_KEY = "kaibiao.session";
export const SESSION_HEADER = "X-Kaibiao-Session";

/** The tab's session id, or "" when only the cookie speaks for this tab. */
export function sessionId(): string {
  return sessionStorage.getItem(SESSION_KEY) ?? "";
}

export function keepSession(id: string): void {
  if (id === "") sessionStorage.removeItem(SESSION_KEY);
  else sessionStorage.setItem(SESSION_KEY, id);
}

export function sessionHeaders(): Record<string, string> {
  const id = sessionId();
  return id === "" ? {} : { [SESSION_HEADER]: id };
}

async function fetched(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: BodyInit,
  timeoutMs = REQUEST_MS_MAX,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: { ...sessionHeaders(), ...headers },
      // A tab that shows its own session must not lean on a cookie that another tab set.
      credentials: sessionId() === "" ? "same-origin" : "omit",
      cache: "no-store",
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body }),
    });
  } catch (error) {
    throw new Unreachable(error);
  }
  if (!response.ok) throw await refusalOf(response);
  return response;
}

/** A proxy's error page has no code of ours: then the status says as much as can be said. */
async function refusalOf(response: Response): Promise<Error> {
  try {
    const type = response.headers.get("Content-Type") ?? "";
    const answer = (
      type.startsWith(MSGPACK)
        ? decode(new Uint8Array(await response.arrayBuffer()))
        : await response.json()
    ) as { code?: unknown; retryable?: unknown; detail?: unknown };
    if (typeof answer.code === "string") {
      return new Refused(answer.code, answer.retryable === true, (answer.detail ?? {}) as Detail);
    }
  } catch {
    // not ours
  }
  if (response.status >= 500) return new Unreachable(response.status);
  return new Refused("http.status", false, { status: response.status });
}

export async function getJson<T>(path: string): Promise<T> {
  const response = await fetched("GET", path, { Accept: JSON_TYPE });
  try {
    return (await response.json()) as T;
  } catch (error) {
    throw new Unreachable(error);
  }
}

export async function getBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetched("GET", path, {});
  return new Uint8Array(await response.arrayBuffer());
}

export async function getText(path: string): Promise<string> {
  return (await fetched("GET", path, {})).text();
}

export async function postJson<T>(path: string, body: object = {}): Promise<T> {
  const headers = { Accept: JSON_TYPE, "Content-Type": JSON_TYPE };
  const response = await fetched("POST", path, headers, JSON.stringify(body));
  return (response.status === 204 ? {} : await response.json()) as T;
}

export async function putBytes<T>(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<T> {
  const headers = { Accept: JSON_TYPE, "Content-Type": "application/octet-stream" };
  const response = await fetched("PUT", path, headers, bytes);
  return (await response.json()) as T;
}

const FILE_MS_MAX = 3_600_000;

/** A file as it is, read from the disk piece by piece; answered without a body. */
export async function putFile(path: string, file: File): Promise<void> {
  const headers = { Accept: JSON_TYPE, "Content-Type": "application/octet-stream" };
  await fetched("PUT", path, headers, file, FILE_MS_MAX);
}

export async function deletePath(path: string, headers: Record<string, string>): Promise<void> {
  await fetched("DELETE", path, headers);
}

/** An answer that goes on and on, read piece by piece; whoever opened it ends it by `signal`. */
export async function openStream(
  path: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  let response: Response;
  try {
    response = await fetch(path, {
      headers: sessionHeaders(),
      credentials: sessionId() === "" ? "same-origin" : "omit",
      cache: "no-store",
      signal,
    });
  } catch (error) {
    throw new Unreachable(error);
  }
  if (!response.ok) throw await refusalOf(response);
  return pieces(response, signal);
}

/** Not every browser iterates over a body. */
async function* pieces(response: Response, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const piece = await reader?.read();
      if (piece === undefined || piece.done || signal.aborted) return;
      yield piece.value;
    }
  } catch (error) {
    throw new Unreachable(error);
  } finally {
    await reader?.cancel().catch(() => {});
  }
}

/** A command by the other way; the result as `ok` would carry it. */
export async function postCommand(
  id: string,
  room: string,
  op: string,
  args: object,
): Promise<unknown> {
  const headers = { Accept: MSGPACK, "Content-Type": MSGPACK };
  const body = encode({ cmd_id: id, op, args });
  const response = await fetched("POST", `/rooms/${room}/commands`, headers, body);
  const answer = decode(new Uint8Array(await response.arrayBuffer())) as { result?: unknown };
  return answer.result;
}

/** Events after a position; waits at the server for up to `waitMs` when there are none yet. */
export async function pollEvents(position: Position, waitMs: number): Promise<PolledEvents> {
  const { room, audience, epoch, seq } = position;
  const query = new URLSearchParams({
    audience,
    epoch: String(epoch),
    after: String(seq),
    wait_ms: String(waitMs),
  });
  const path = `/rooms/${room}/events?${query}`;
  const response = await fetched("GET", path, { Accept: MSGPACK }, undefined, waitMs + 10_000);
  const answer = decode(new Uint8Array(await response.arrayBuffer())) as {
    epoch: number;
    server_ms: number;
    events: [number, number, string, unknown, Uint8Array][];
  };
  return {
    epoch: answer.epoch,
    serverMs: answer.server_ms,
    events: answer.events.map(
      ([seq_, serverMs, type, body, hash]): EventFrame => ({
        room,
        audience,
        epoch: answer.epoch,
        seq: seq_,
        serverMs,
        type,
        body: body instanceof Uint8Array ? decode(body) : body,
        hash,
      }),
    ),
  };
}

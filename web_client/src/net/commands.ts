/**
 * Requests on their way (请求): each has an id made once, and is asked again until it is answered.
 *
 * Invariant: a request is never made twice under two ids. "No answer" is not "failed": after a
 * reconnect, or by the other way (POST), the same id goes out, and the server answers a repeat from
 * its books.
 */
import type { Detail } from "./frames.ts";

/** A refusal of the server (`Refused`), with its stable code. */
export class Refused extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly detail: Detail;

  constructor(code: string, retryable = false, detail: Detail = {}) {
    super(code);
    this.name = "Refused";
    this.code = code;
    this.retryable = retryable;
    this.detail = detail;
  }
}

export interface Pending {
  readonly n: number;
  readonly id: string;
  readonly room: string;
  readonly op: string;
  readonly args: object;
  tries: number;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Codes that mean "the same, a moment later": asked again without troubling anybody. */
const BUSY = new Set(["room.busy", "room.stopped", "command.too_many", "server.trouble"]);
const BUSY_TRIES_MAX = 5;
const BUSY_FIRST_MS = 300;

export class Commands {
  private readonly pending = new Map<string, Pending>();
  private counter = 0;
  private readonly newId: () => string;

  constructor(newId: () => string) {
    this.newId = newId;
  }

  /** A new request; it waits in `all` until `answer` or `refuse` settles `promise`. */
  open(room: string, op: string, args: object): { pending: Pending; promise: Promise<unknown> } {
    const id = this.newId();
    const n = ++this.counter;
    const promise = new Promise<unknown>((resolve, reject) => {
      this.pending.set(id, { n, id, room, op, args, tries: 0, resolve, reject });
    });
    return { pending: this.pending.get(id) as Pending, promise };
  }

  get all(): Pending[] {
    return [...this.pending.values()];
  }

  isOpen(id: string): boolean {
    return this.pending.has(id);
  }

  answer(id: string, result: unknown): void {
    this.settle(id)?.resolve(result);
  }

  /** Settles by a refusal, or says in how many ms the same request should go out again. */
  refuse(id: string, refused: Refused): number | null {
    const pending = this.pending.get(id);
    if (!pending) return null;
    if (BUSY.has(refused.code) && pending.tries < BUSY_TRIES_MAX) {
      pending.tries += 1;
      return BUSY_FIRST_MS * 2 ** (pending.tries - 1);
    }
    this.settle(id)?.reject(refused);
    return null;
  }

  private settle(id: string): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    return pending;
  }
}

/** 128 random bits as text; unique per (actor, room) for all practical purposes. */
export function randomCommandId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

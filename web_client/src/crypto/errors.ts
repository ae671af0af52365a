/**
 * The one refusal of this folder: `Rejected` with a stable code such as `header.magic`.
 *
 * Invariant: a code means the same here and in the Python package `crypto`; both read the same
 * vectors. A plain `Error` from this folder means that we are wrong, not the bytes.
 */

/** Bytes, text or a message from outside that the formats do not allow. */
export class Rejected extends Error {
  readonly code: string;
  readonly detail: string;

  constructor(code: string, detail = "") {
    super(detail === "" ? code : `${code}: ${detail}`);
    this.name = "Rejected";
    this.code = code;
    this.detail = detail;
  }
}

/** We are wrong if this fails: never used for anything that comes from outside. */
export function assert(ok: boolean, what: string): asserts ok {
  if (!ok) throw new Error(`assertion failed: ${what}`);
}

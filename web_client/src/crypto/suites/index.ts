/**
 * The registry of suites (算法套件): the only folder that names primitives of bids and messages.
 *
 * Invariant: an unknown suite is refused, never guessed; the test suite is unknown unless a caller
 * asks for it by name, which no page does.
 */
import { Rejected } from "../errors.ts";
import { NACL_1 } from "./nacl_1.ts";
import { ODD_SIZES } from "./odd_sizes.ts";
import type { Suite } from "./suite.ts";

export type { Cipher, RunningHash, Suite, SuiteSizes } from "./suite.ts";
export { NACL_1, ODD_SIZES };

/** The suite of this number. */
export function getSuite(id: number, options: { allowTest?: boolean } = {}): Suite {
  if (id === NACL_1.id) return NACL_1;
  if (id === ODD_SIZES.id && options.allowTest === true) return ODD_SIZES;
  throw new Rejected("suite.unknown", `0x${id.toString(16).padStart(4, "0")}`);
}

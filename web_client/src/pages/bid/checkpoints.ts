/** The size a checkpoint names, read before its signature is checked: only to ask for a proof. */
import { Rejected } from "../../crypto/errors.ts";

export function readCheckpoint(text: string): { readonly size: number } {
  const size = Number(text.split("\n")[1]);
  if (!Number.isSafeInteger(size) || size < 0) throw new Rejected("checkpoint.form");
  return { size };
}

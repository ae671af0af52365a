/**
 * The code points a text may hold (允许的字符), fixed for ever at one Unicode version.
 *
 * Invariant: the list is data printed from the Python package, because "unassigned" moves with
 * every Unicode release and with every browser, and a form must get one verdict for ever.
 */
import { ALLOWED_CODE_POINTS } from "../formats.ts";

const changes: number[] = [];
for (const step of ALLOWED_CODE_POINTS.split(" ")) {
  changes.push((changes.at(-1) ?? 0) + Number.parseInt(step, 36));
}

/** May a text hold this code point? True where an odd number of changes lie at or below it. */
export function isAllowed(point: number): boolean {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle] as number) <= point) low = middle + 1;
    else high = middle;
  }
  return low % 2 === 1;
}

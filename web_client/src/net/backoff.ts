/**
 * How long to wait before the next try to connect (退避): 0-0.5 s, then 1, 2, 4 ... 15 s with jitter.
 *
 * Invariant: after a server restart, the devices of a whole hall do not come back in one instant.
 */

const FIRST_MS_MAX = 500;
const DELAY_MS_MAX = 15_000;

/** Delay before try number `failures` (1 after the first failure); `random` is in [0, 1). */
export function retryDelay(failures: number, random: number): number {
  if (failures <= 1) return random * FIRST_MS_MAX;
  const full = Math.min(DELAY_MS_MAX, 1000 * 2 ** (failures - 2));
  // Between half and whole: spread, but never at once.
  return full * (0.5 + random / 2);
}

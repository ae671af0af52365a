/**
 * How long to wait before the next try to connect (退避): 0-0.5 s, then 1, 2, 2 ... s, and after a while
 * up to 15 s, with jitter.
 *
 * Invariant: after a server restart, the devices of a whole hall do not come back in one instant, and
 * all are back within two seconds of its coming up (docs/decisions/0007).
 */

const FIRST_MS_MAX = 500;
const NEAR_MS = 2000;
const NEAR_TRIES = 12; // about a quarter of a minute
const DELAY_MS_MAX = 15_000;

/** Delay before try number `failures` (1 after the first failure); `random` is in [0, 1). */
export function retryDelay(failures: number, random: number): number {
  if (failures <= 1) return random * FIRST_MS_MAX;
  const full =
    failures <= NEAR_TRIES
      ? Math.min(NEAR_MS, 1000 * 2 ** (failures - 2))
      : Math.min(DELAY_MS_MAX, NEAR_MS * 2 ** (failures - NEAR_TRIES));
  // Between half and whole: spread, but never at once.
  return full * (0.5 + random / 2);
}

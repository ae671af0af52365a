/**
 * Asking again for what the log will hold in a moment (稍后入日志): a leaf is written each second.
 *
 * Invariant: only what a later tree can mend is asked again, and only so often.
 */
import type { UnlockVerdict } from "../../crypto/unlock_check.ts";

const TRIES = 8;
const EVERY_MS = 600;
const NOT_YET = new Set(["unlock_check.nonce", "closing.missing", "proof.size"]);

/** The verdict of `check`; a window that has just opened is under a checkpoint soon. */
export async function onceLogged(
  check: (isFresh: boolean) => Promise<UnlockVerdict>,
): Promise<UnlockVerdict> {
  for (let tries = 1; ; tries++) {
    const verdict = await check(tries > 1);
    if (verdict.ok || !NOT_YET.has(verdict.code) || tries === TRIES) return verdict;
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

/**
 * A trustee's RELEASE from a passed check (招标人解密): opens its own boxes and signs the answer.
 *
 * Invariant: shares leave only through a `ReleaseVerdict` whose checks all passed, and the list is
 * exactly the set of that verdict. The checkpoint named is the one the checks were made against.
 */
import { assert } from "./errors.ts";
import type { BoxKey, SigningKey } from "./keys.ts";
import type { ReleaseSet, ReleaseVerdict } from "./release_check.ts";
import { buildRelease, type Release } from "./release_message.ts";
import { openShare } from "./shares.ts";

/** The RELEASE of `verdict.sets[at]`, signed. Codes: `share.key` (not this trustee's box key). */
export function releaseOf(
  verdict: ReleaseVerdict,
  at: number,
  keys: { readonly signing: SigningKey; readonly box: BoxKey },
): Release {
  const set = verdict.sets[at];
  const { checkpoint, manifest } = verdict;
  assert(verdict.ok && set !== undefined && checkpoint !== null, "every check passed");
  return buildRelease(
    manifest.suite,
    {
      tender_id: manifest.tender_id,
      root: checkpoint.root,
      size: checkpoint.size,
      opening_nonce: set.window.nonce,
      envelope: set.window.envelope,
      i: set.i,
      mode: set.mode,
      items: answers(set, keys.box),
    },
    keys.signing,
  );
}

function answers(set: ReleaseSet, box: BoxKey) {
  return set.headers.map((header) => ({
    bid_id: header.bid_id,
    ...openShare(header, set.i, box),
  }));
}

/**
 * Seeds that a link's fragment brings along (演示链接): login, trustee, bidder, officer; for this tab only.
 *
 * Invariant: they leave the address bar before anything else happens, so that they are not copied,
 * bookmarked or sent on; a browser never sends a fragment to a server.
 */
import { keepSeed } from "../net/session.ts";

const TRUSTEE_KEY = "kaibiao.trustee";
const BIDDER_KEY = "kaibiao.bidder";
const OFFICER_KEY = "kaibiao.officer";
const HEX_32 = /^[0-9a-f]{64}$/;

/** Seeds of a bidder's tender keys. */
export interface GivenKeys {
  readonly signSeed: string;
  readonly boxSeed: string;
}

/** Takes the seeds of `#seed=...&...` into this tab's storage and out of the address. */
export function takeFragment(): void {
  const given = new URLSearchParams(location.hash.slice(1));
  const seed = given.get("seed") ?? "";
  if (!HEX_32.test(seed)) return;
  history.replaceState(null, "", location.pathname + location.search);
  keepSeed(seed);
  keepPair(TRUSTEE_KEY, given.get("xpk_seed"), given.get("spk_seed"));
  keepPair(BIDDER_KEY, given.get("sign_seed"), given.get("box_seed"));
  keepOfficerSeed(given.get("officer_seed") ?? "");
}

/** Keeps the seed of an office for this tab; anything else takes away what was there. */
export function keepOfficerSeed(seed: string): void {
  if (HEX_32.test(seed)) sessionStorage.setItem(OFFICER_KEY, seed);
  else sessionStorage.removeItem(OFFICER_KEY);
}

/** The seed of the office's key (职务签名钥匙), as 64 hex digits; null when the tab has none. */
export function givenOfficerSeed(): string | null {
  return sessionStorage.getItem(OFFICER_KEY);
}

function keepPair(name: string, one: string | null, two: string | null): void {
  if (HEX_32.test(one ?? "") && HEX_32.test(two ?? "")) {
    sessionStorage.setItem(name, `${one} ${two}`);
  } else {
    sessionStorage.removeItem(name);
  }
}

function pair(name: string): readonly [string, string] | null {
  const [one, two] = (sessionStorage.getItem(name) ?? "").split(" ");
  return one && two ? [one, two] : null;
}

export function givenBidderKeys(): GivenKeys | null {
  const found = pair(BIDDER_KEY);
  return found && { signSeed: found[0], boxSeed: found[1] };
}

/** A trustee's key file as text, from a demo link; null when the tab has none. */
export function givenTrusteeFile(): string | null {
  const found = pair(TRUSTEE_KEY);
  return found && JSON.stringify({ xpk_seed: found[0], spk_seed: found[1] });
}

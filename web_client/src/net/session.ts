/**
 * Who sits at this tab (登录): challenge, signature, session, and the ticket for the socket.
 *
 * Invariant: the login seed stays in this tab's sessionStorage and is never sent; what is signed
 * names the origin, so that the signature opens no other site. One tab is one person: after a
 * reload the same person comes back, and another tab may be somebody else.
 */
import { signal } from "@preact/signals";
import { concat, hex, u8, u64, unhex, utf8 } from "../crypto/bytes.ts";
import { Refused } from "./commands.ts";
import type { Me } from "./frames.ts";
import { getJson, keepSession, postJson, sessionId } from "./http.ts";

const SEED_KEY = "kaibiao.login";

export const me = signal<Me>({});

interface Challenge {
  readonly challenge: string;
  readonly expiry_ms: number;
}

/** The bytes a login signs (shared with the server's login_message). */
export function loginMessage(
  origin: string,
  challenge: Uint8Array,
  expiryMs: number,
  publicKey: Uint8Array,
): Uint8Array {
  const named = utf8(origin);
  return concat(utf8("KBID1 auth\0"), u8(named.length), named, challenge, u64(expiryMs), publicKey);
}

export function heldSeed(): string | null {
  return sessionStorage.getItem(SEED_KEY);
}

/** Keeps a seed that a link brought; the next look at who we are logs in with it. */
export function keepSeed(seedHex: string): void {
  if (heldSeed() !== seedHex) keepSession("");
  sessionStorage.setItem(SEED_KEY, seedHex);
}

let entering: { readonly seed: string; readonly done: Promise<Me> } | null = null;

/**
 * Logs in with a seed (64 hex digits) and keeps it for this tab. Throws `Refused`. Whoever asks
 * while it is under way waits for the same: a page's lines all miss the session at once.
 */
export function login(seedHex: string): Promise<Me> {
  if (entering?.seed === seedHex) return entering.done;
  const done = enter(seedHex).finally(() => {
    if (entering?.done === done) entering = null;
  });
  entering = { seed: seedHex, done };
  return done;
}

async function enter(seedHex: string): Promise<Me> {
  const seed = unhex(seedHex, 32, "auth.key_unknown");
  const [{ sodiumReady }, { SigningKey }] = await Promise.all([
    import("../crypto/sodium.ts"),
    import("../crypto/keys.ts"),
  ]);
  await sodiumReady();
  const key = new SigningKey(seed);
  keepSession("");
  const publicHex = hex(key.public);
  const asked = await postJson<Challenge>("/auth/challenge", { public: publicHex });
  const message = loginMessage(
    location.origin,
    unhex(asked.challenge, 32),
    asked.expiry_ms,
    key.public,
  );
  const answer = await postJson<{ me: Me; session?: string }>("/auth/login", {
    public: publicHex,
    challenge: asked.challenge,
    expiry_ms: asked.expiry_ms,
    signature: hex(key.sign(message)),
  });
  keepSession(answer.session ?? "");
  sessionStorage.setItem(SEED_KEY, seedHex);
  me.value = answer.me;
  return answer.me;
}

export async function logout(): Promise<void> {
  sessionStorage.removeItem(SEED_KEY);
  try {
    await postJson("/auth/logout");
  } finally {
    keepSession("");
    me.value = {};
  }
}

/** Who we are now; logs in again where this tab holds a seed and the session is over or another's. */
export async function whoAmI(): Promise<Me> {
  const seed = heldSeed();
  // With a seed but no session of this tab's own, the browser's cookie may be another tab's person.
  if (seed !== null && sessionId() === "") return login(seed);
  const now = await getJson<Me>("/auth/me");
  me.value = seed !== null && !now.person ? await login(seed) : now;
  return me.value;
}

/** A ticket for one hello; null for the public. */
export async function ticket(): Promise<string | null> {
  const seed = heldSeed();
  if (seed === null && !me.value.person) return null;
  try {
    return (await postJson<{ ticket: string }>("/auth/ticket")).ticket;
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "auth.required") throw error;
    if (seed === null) {
      me.value = {};
      return null;
    }
    await login(seed);
    return (await postJson<{ ticket: string }>("/auth/ticket")).ticket;
  }
}

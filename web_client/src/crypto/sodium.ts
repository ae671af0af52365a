/**
 * libsodium (compiled to WebAssembly), loaded once and only when something needs it.
 *
 * Invariant: nothing else in this folder imports libsodium. Pages await `sodiumReady()` before the
 * first call; every function here is synchronous afterwards.
 */
import type libsodium from "libsodium-wrappers-sumo";
import { assert } from "./errors.ts";

export type Sodium = typeof libsodium;

let loaded: Sodium | undefined;
let loading: Promise<Sodium> | undefined;

async function load(): Promise<Sodium> {
  const library = (await import("libsodium-wrappers-sumo")).default;
  await library.ready;
  loaded = library;
  return library;
}

/** Load the library if that has not been done; a failed load (no network) may be tried again. */
export async function sodiumReady(): Promise<void> {
  loading ??= load();
  try {
    await loading;
  } catch (error) {
    loading = undefined;
    throw error;
  }
}

/** The library, after `sodiumReady()`. */
export function sodium(): Sodium {
  assert(loaded !== undefined, "sodiumReady() was awaited");
  return loaded;
}

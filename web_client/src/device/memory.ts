/**
 * What this device remembers between visits (本机存储): key files, receipts, what it saw.
 *
 * Invariant: nothing here opens a bid by itself: key files are sealed under a passphrase, the rest
 * is public or proves something. Where storage is refused (private windows), memory lasts as long
 * as the page, and nothing fails.
 */

const DATABASE = "kaibiao";
const STORE = "device";

const fallback = new Map<string, unknown>();
let opening: Promise<IDBDatabase | null> | null = null;

function open(): Promise<IDBDatabase | null> {
  opening ??= new Promise((resolve) => {
    try {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
      request.onblocked = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
  return opening;
}

function asked<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** What was kept under `key`; null when nothing was. */
export async function recall<T>(key: string): Promise<T | null> {
  if (fallback.has(key)) return fallback.get(key) as T;
  try {
    const database = await open();
    if (database === null) return null;
    const found: unknown = await asked(database.transaction(STORE).objectStore(STORE).get(key));
    return (found as T | undefined) ?? null;
  } catch {
    return null;
  }
}

/** Keeps `value` (plain data or bytes). Says whether it will outlast the page. */
export async function keep(key: string, value: unknown): Promise<boolean> {
  try {
    const database = await open();
    if (database !== null) {
      await asked(database.transaction(STORE, "readwrite").objectStore(STORE).put(value, key));
      return true;
    }
  } catch {
    // no room, or no permission
  }
  fallback.set(key, value);
  return false;
}

/** Asks the browser not to clear this away under pressure; it may refuse. */
export function askToPersist(): void {
  void navigator.storage?.persist?.().catch(() => false);
}

/**
 * Sealed envelopes on the device's private disk (OPFS): survive a reload and a lost connection.
 *
 * Invariant: a folder holds ciphertext, the finished header, and where the upload is; never a seed,
 * a half or plaintext. It can be carried on only once its header is there: an envelope whose sealing
 * was cut off lost its keys with the page and is dropped, to be sealed anew (C10). One worker at a
 * time has a folder: the handle of its lock file is exclusive.
 *
 * A finished payload is sent as pieces of the file itself: they are read by the browser as they
 * go out and never pass through this thread's memory.
 */
import { type Bytes, hex, utf8 } from "./bytes.ts";
import { assert, Rejected } from "./errors.ts";
import type { StoredSeal } from "./seal_protocol.ts";
import type { Spool } from "./spool.ts";
import type { UploadBody } from "./tus_upload.ts";

/** FileSystemSyncAccessHandle, which the DOM library describes for workers only. */
export interface SyncHandle {
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
  getSize(): number;
  truncate(size: number): void;
}

const FOLDER = "sealed";
const PAYLOAD = "payload.kbc";
const HEADER = "header.kbh";
const ABOUT = "about.json";
const LOCATION = "upload.txt";
const LOCK = "lock";
const SMALL_MAX = 65_536;
const FOLDERS_MAX = 64;

/** The folder that holds all sealed envelopes, or null where the browser has no private disk. */
export async function sealedFolder(): Promise<FileSystemDirectoryHandle | null> {
  try {
    const root = await navigator.storage.getDirectory();
    return await root.getDirectoryHandle(FOLDER, { create: true });
  } catch {
    return null;
  }
}

async function openHandle(file: FileSystemFileHandle): Promise<SyncHandle> {
  const opener = file as unknown as { createSyncAccessHandle(): Promise<SyncHandle> };
  try {
    return await opener.createSyncAccessHandle();
  } catch {
    throw new Rejected("seal.busy");
  }
}

/** Write or fail as a whole as far as the platform allows: a full disk has its own code. */
function writeAt(handle: SyncHandle, bytes: Uint8Array, at: number): void {
  let written: number;
  try {
    written = handle.write(bytes, { at });
  } catch {
    throw new Rejected("seal.storage_full");
  }
  if (written !== bytes.length) throw new Rejected("seal.storage_full");
}

async function writeSmall(
  folder: FileSystemDirectoryHandle,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const handle = await openHandle(await folder.getFileHandle(name, { create: true }));
  try {
    handle.truncate(0);
    writeAt(handle, bytes, 0);
    handle.flush();
  } finally {
    handle.close();
  }
}

async function readSmall(folder: FileSystemDirectoryHandle, name: string): Promise<Bytes | null> {
  try {
    const file = await (await folder.getFileHandle(name)).getFile();
    if (file.size === 0 || file.size > SMALL_MAX) return null;
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    return null;
  }
}

/**
 * The folder's lock, held until it is closed or the page is gone. Codes: `seal.busy`,
 * `seal.not_stored` (another tab has just removed the folder).
 */
async function lockOf(folder: FileSystemDirectoryHandle): Promise<SyncHandle> {
  let file: FileSystemFileHandle;
  try {
    file = await folder.getFileHandle(LOCK, { create: true });
  } catch {
    throw new Rejected("seal.not_stored");
  }
  return openHandle(file);
}

/** Where the payload's bytes are: still being written, or finished and only read. */
type Payload = { readonly open: SyncHandle } | { readonly file: Promise<Blob> };

/** One sealed envelope's folder, opened for sealing into or for sending from. */
export class DiskSpool implements Spool {
  readonly roomMax = Number.POSITIVE_INFINITY;
  readonly start = 0;
  readonly id: string;
  size: number;
  private readonly folder: FileSystemDirectoryHandle;
  private readonly lock: SyncHandle;
  private payload: Payload;

  private constructor(
    id: string,
    folder: FileSystemDirectoryHandle,
    lock: SyncHandle,
    payload: Payload,
    size: number,
  ) {
    this.id = id;
    this.folder = folder;
    this.lock = lock;
    this.payload = payload;
    this.size = size;
  }

  /** A fresh, empty folder. */
  static async create(all: FileSystemDirectoryHandle, id: string): Promise<DiskSpool> {
    const folder = await all.getDirectoryHandle(id, { create: true });
    const lock = await lockOf(folder);
    const open = await openHandle(await folder.getFileHandle(PAYLOAD, { create: true }));
    return new DiskSpool(id, folder, lock, { open }, 0);
  }

  /** A folder whose sealing was finished. Codes: `seal.not_stored`, `seal.busy`. */
  static async open(
    all: FileSystemDirectoryHandle,
    id: string,
  ): Promise<{ spool: DiskSpool; header: Bytes; about: StoredSeal }> {
    let folder: FileSystemDirectoryHandle;
    let file: Blob;
    try {
      folder = await all.getDirectoryHandle(id);
      file = await (await folder.getFileHandle(PAYLOAD)).getFile();
    } catch {
      throw new Rejected("seal.not_stored");
    }
    const header = await readSmall(folder, HEADER);
    const about = await readAbout(folder);
    if (header === null || about === null) throw new Rejected("seal.not_stored");
    const payload = { file: Promise.resolve(file) };
    const spool = new DiskSpool(id, folder, await lockOf(folder), payload, file.size);
    return { spool, header, about };
  }

  append(bytes: Uint8Array): void {
    assert("open" in this.payload, "nothing is appended to a finished payload");
    writeAt(this.payload.open, bytes, this.size);
    this.size += bytes.length;
  }

  async part(offset: number, size: number): Promise<UploadBody> {
    if ("file" in this.payload) return (await this.payload.file).slice(offset, offset + size);
    const out = new Uint8Array(size);
    if (this.payload.open.read(out, { at: offset }) !== size) {
      throw new Rejected("seal.not_stored");
    }
    return out;
  }

  /** The disk keeps everything until the folder is dropped: it may repair the server's copy (C3). */
  release(_offset: number): void {}

  /** The last step of sealing: with the header on the disk, the folder can be carried on. */
  async finish(header: Uint8Array, about: StoredSeal): Promise<void> {
    assert("open" in this.payload, "sealing is finished once");
    this.payload.open.flush();
    this.payload.open.close();
    const file = this.folder.getFileHandle(PAYLOAD).then((handle) => handle.getFile());
    this.payload = { file };
    await file;
    await writeSmall(this.folder, ABOUT, utf8(JSON.stringify(about)));
    await writeSmall(this.folder, HEADER, header);
  }

  /** Where the upload is; in a file of its own, so that nothing finished is ever written over. */
  async note(location: string): Promise<void> {
    await writeSmall(this.folder, LOCATION, utf8(location));
  }

  close(): void {
    if ("open" in this.payload) this.payload.open.close();
    this.lock.close();
  }
}

async function readAbout(folder: FileSystemDirectoryHandle): Promise<StoredSeal | null> {
  const raw = await readSmall(folder, ABOUT);
  if (raw === null) return null;
  const location = await readSmall(folder, LOCATION);
  const upload = location === null ? null : new TextDecoder().decode(location);
  try {
    return { ...(JSON.parse(new TextDecoder().decode(raw)) as StoredSeal), upload };
  } catch {
    return null;
  }
}

/** What can be carried on; folders without a header are what a closed page left and are removed. */
export async function listStored(all: FileSystemDirectoryHandle): Promise<StoredSeal[]> {
  const found: StoredSeal[] = [];
  const ids: string[] = [];
  for await (const id of all.keys()) ids.push(id);
  for (const id of ids.slice(0, FOLDERS_MAX)) {
    try {
      const { spool, about } = await DiskSpool.open(all, id);
      spool.close();
      found.push(about);
    } catch (error) {
      if (!(error instanceof Rejected)) throw error;
      // A folder in use belongs to another tab; only what nobody can finish is removed.
      if (error.code === "seal.not_stored") await dropUnfinished(all, id);
    }
  }
  return found;
}

/** Removes a folder that has no header, unless a worker is still sealing into it. */
async function dropUnfinished(all: FileSystemDirectoryHandle, id: string): Promise<void> {
  try {
    const lock = await lockOf(await all.getDirectoryHandle(id));
    lock.close();
    await dropStored(all, id);
  } catch (error) {
    // In use, or gone by now because somebody else removed it.
    if (!(error instanceof Rejected || error instanceof DOMException)) throw error;
  }
}

export async function dropStored(all: FileSystemDirectoryHandle, id: string): Promise<void> {
  try {
    await all.removeEntry(id, { recursive: true });
  } catch {
    throw new Rejected("seal.busy");
  }
}

/** Is there room for `size` bytes and a tenth more? Unknown counts as no. */
export async function hasRoom(size: number): Promise<boolean> {
  try {
    const { quota = 0, usage = 0 } = await navigator.storage.estimate();
    return quota - usage > size * 1.1;
  } catch {
    return false;
  }
}

/** A folder's name: random, so that nothing about a bid shows in it. */
export function newFolderId(random: Uint8Array): string {
  return hex(random);
}

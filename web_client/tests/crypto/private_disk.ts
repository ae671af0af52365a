/** The private file system of a browser, in memory, as far as sealed envelopes use it. */
import type { SyncHandle } from "../../src/crypto/disk_spool.ts";

class StoredFile {
  bytes = new Uint8Array(0);
  isOpen = false;
}

class Disk {
  left = Number.POSITIVE_INFINITY;
}

class FileHandle {
  private readonly file: StoredFile;
  private readonly disk: Disk;

  constructor(file: StoredFile, disk: Disk) {
    this.file = file;
    this.disk = disk;
  }

  async getFile(): Promise<Blob> {
    return new Blob([this.file.bytes]);
  }

  async createSyncAccessHandle(): Promise<SyncHandle> {
    const { file, disk } = this;
    if (file.isOpen) throw new DOMException("in use", "NoModificationAllowedError");
    file.isOpen = true;
    return {
      read: (into, { at }) => {
        const part = file.bytes.subarray(at, at + into.length);
        into.set(part);
        return part.length;
      },
      write: (bytes, { at }) => {
        disk.left -= bytes.length;
        if (disk.left < 0) throw new DOMException("full", "QuotaExceededError");
        const grown = new Uint8Array(Math.max(file.bytes.length, at + bytes.length));
        grown.set(file.bytes);
        grown.set(bytes, at);
        file.bytes = grown;
        return bytes.length;
      },
      flush: () => {},
      close: () => {
        file.isOpen = false;
      },
      getSize: () => file.bytes.length,
      truncate: (size) => {
        file.bytes = file.bytes.slice(0, size);
      },
    };
  }
}

class Folder {
  readonly folders = new Map<string, Folder>();
  readonly files = new Map<string, StoredFile>();
  private readonly disk: Disk;

  constructor(disk: Disk) {
    this.disk = disk;
  }

  async getDirectoryHandle(name: string, options: { create?: boolean } = {}): Promise<Folder> {
    return found(this.folders, name, options.create === true, () => new Folder(this.disk));
  }

  async getFileHandle(name: string, options: { create?: boolean } = {}): Promise<FileHandle> {
    const file = found(this.files, name, options.create === true, () => new StoredFile());
    return new FileHandle(file, this.disk);
  }

  async removeEntry(name: string): Promise<void> {
    this.folders.delete(name);
  }

  async *keys(): AsyncGenerator<string> {
    yield* this.folders.keys();
  }
}

function found<Entry>(
  entries: Map<string, Entry>,
  name: string,
  mayCreate: boolean,
  create: () => Entry,
): Entry {
  const entry = entries.get(name) ?? (mayCreate ? create() : undefined);
  if (entry === undefined) throw new DOMException(name, "NotFoundError");
  entries.set(name, entry);
  return entry;
}

/** A folder of sealed envelopes, and how many bytes may still be written. */
export function privateDisk(): { all: FileSystemDirectoryHandle; disk: Disk } {
  const disk = new Disk();
  return { all: new Folder(disk) as unknown as FileSystemDirectoryHandle, disk };
}

/** The page is reloaded: every handle it held is let go. */
export function reload(all: FileSystemDirectoryHandle): void {
  for (const folder of (all as unknown as Folder).folders.values()) {
    for (const file of folder.files.values()) file.isOpen = false;
  }
}

/** Names and bytes of every file below, for what must never be there. */
export function everything(all: FileSystemDirectoryHandle): [string, Uint8Array][] {
  return [...(all as unknown as Folder).folders].flatMap(([id, folder]) =>
    [...folder.files].map(([name, file]): [string, Uint8Array] => [`${id}/${name}`, file.bytes]),
  );
}

/**
 * What the bidder's pages are shown of the bidder's own affairs (投标人工作台).
 *
 * Invariant: values only. The live desk (`desk.ts`) makes them; tests and drawings make them too.
 */
import type { StoredSeal } from "../../crypto/seal_protocol.ts";
import type { Trouble } from "../../ui/refusal.tsx";

/** The device's key for this tender. */
export type KeyState =
  | { readonly kind: "loading" }
  /** No key file of this tender on this device. */
  | { readonly kind: "absent" }
  /** The file is here; the passphrase is asked. */
  | { readonly kind: "locked" }
  | { readonly kind: "busy" }
  | { readonly kind: "open"; readonly pk: string };

export interface OwnEnvelope {
  readonly envelope: number;
  readonly lot: number;
  readonly bidId: string;
  readonly bytes: number;
  readonly submitted: boolean;
}

/** An accepted SUBMIT or WITHDRAW of ours. */
export interface OwnSubmit {
  readonly sha256: string;
  readonly isWithdrawal: boolean;
  readonly lot: number;
  readonly seq: number;
  readonly receivedMs: number;
  readonly bidIds: readonly string[];
}

export interface OwnReceipt {
  readonly sha256: string;
  /** Verified on this device against manifest, log key and receipt key. */
  readonly isValid: boolean;
  readonly fault: string;
  readonly file: Uint8Array<ArrayBuffer>;
  readonly name: string;
}

export interface UnlockCard {
  readonly envelope: number;
  readonly envelopeName: string;
  readonly lot: number;
  readonly text: string;
}

export interface JobFile {
  readonly envelope: number;
  readonly name: string;
  readonly size: number;
  /** Bytes sealed and bytes the server holds durably. */
  readonly sealed: number;
  readonly sent: number;
  readonly state: "waiting" | "sealing" | "sending" | "here";
}

/** Sealing and sending one bid. */
export interface SealJob {
  readonly lot: number;
  readonly step: "sealing" | "sending" | "submitting" | "done" | "failed";
  readonly isPaused: boolean;
  readonly files: readonly JobFile[];
  readonly startedMs: number;
  readonly bytesPerS: number;
  readonly trouble: Trouble | null;
}

export type UnlockState =
  | { readonly kind: "idle" }
  | { readonly kind: "checking" }
  | { readonly kind: "sending" }
  /** The device's clock is slow: a person must say that the deadline has passed. */
  | { readonly kind: "ask_clock"; readonly deviceMs: number; readonly deadlineMs: number }
  | { readonly kind: "failed"; readonly trouble: Trouble }
  | { readonly kind: "done"; readonly receivedMs: number };

export type Rehearsal = "none" | "busy" | "passed" | "failed";

export interface DeskView {
  readonly isLoaded: boolean;
  readonly registered: { readonly bidderPk: string; readonly certified: boolean } | null;
  readonly key: KeyState;
  readonly envelopes: readonly OwnEnvelope[];
  readonly submits: readonly OwnSubmit[];
  readonly receipts: readonly OwnReceipt[];
  readonly cards: readonly UnlockCard[];
  readonly job: SealJob | null;
  readonly unlock: UnlockState;
  readonly rehearsal: Rehearsal;
  readonly trouble: Trouble | null;
  /** bid_id -> does the row that was read out equal what this device sealed? */
  readonly sameAsSealed: Readonly<Record<string, boolean>>;
  /** Signed promises of the last act, to be kept: file name and bytes. */
  readonly unlockReceipt: { readonly name: string; readonly file: Uint8Array<ArrayBuffer> } | null;
  readonly selfRelease: "none" | "busy" | "done";
  /** Envelopes sealed on an earlier visit, not submitted yet: they can be carried on with. */
  readonly stored: readonly StoredSeal[];
  /** What was typed of a card: it outlives a failed try, because nobody types it twice gladly. */
  readonly cardText: string;
}

export function emptyDesk(): DeskView {
  return {
    isLoaded: false,
    registered: null,
    key: { kind: "loading" },
    envelopes: [],
    submits: [],
    receipts: [],
    cards: [],
    job: null,
    unlock: { kind: "idle" },
    rehearsal: "none",
    trouble: null,
    sameAsSealed: {},
    unlockReceipt: null,
    selfRelease: "none",
    stored: [],
    cardText: "",
  };
}

/** What the bidder may do; the live desk does it, drawings ignore it. */
export interface DeskActs {
  createKey(passphrase: string): void;
  openKey(passphrase: string): void;
  loadKeyFile(file: File): void;
  saveKeyFile(): void;
  seal(input: SealInput): void;
  pause(): void;
  resume(): void;
  abandon(): void;
  withdraw(lot: number): void;
  signIn(): void;
  rehearse(): void;
  unlock(deadlineConfirmed: boolean): void;
  typeCard(text: string): void;
  unlockByCard(deadlineConfirmed: boolean): void;
  readCardPhoto(file: File): Promise<string | null>;
  selfRelease(): void;
  showCards(): void;
  download(name: string, file: Uint8Array<ArrayBuffer>): void;
  dismiss(): void;
}

export interface SealInput {
  readonly lot: number;
  readonly fields: Readonly<Record<string, string | number>>;
  /** Body envelopes: number -> file. */
  readonly files: ReadonlyMap<number, File>;
  /** Body envelopes that an earlier visit sealed, where no other file was chosen. */
  readonly stored: ReadonlyMap<number, StoredSeal>;
}

/** The bid that counts now in a lot: the last accepted message, unless it withdraws. */
export function presentBid(desk: DeskView, lot: number): OwnSubmit | null {
  const last = desk.submits.filter((submit) => submit.lot === lot).at(-1);
  return last && !last.isWithdrawal ? last : null;
}

export function ownBidIds(desk: DeskView): ReadonlySet<string> {
  return new Set(desk.submits.flatMap((submit) => submit.bidIds));
}

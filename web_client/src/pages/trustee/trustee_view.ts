/** What a trustee's page is shown (钥匙保管人): the device's checks, and how far the release is. */
import type { Trouble } from "../../ui/refusal.tsx";

export interface TrusteeCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly code: string;
}

export type TrusteeStep =
  | { readonly kind: "no_key" }
  /** The window has not ended, or its checkpoint is not there yet. */
  | { readonly kind: "waiting" }
  | { readonly kind: "checking"; readonly total: number }
  | { readonly kind: "checked" }
  | { readonly kind: "ask_clock"; readonly deviceMs: number; readonly deadlineMs: number }
  | { readonly kind: "releasing" }
  | { readonly kind: "released"; readonly atMs: number }
  | { readonly kind: "held" };

export interface TrusteeView {
  readonly step: TrusteeStep;
  readonly checks: readonly TrusteeCheck[];
  readonly isOk: boolean;
  /** How many bids' shares this release hands over, and how many of those can open. */
  readonly sharesGiven: number;
  /** What this device wrote down when the list closed; null when it was not there. */
  readonly seenFingerprint: { readonly text: string; readonly atMs: number } | null;
  readonly trouble: Trouble | null;
}

export interface TrusteeActs {
  loadKey(file: File): void;
  check(deadlineConfirmed: boolean): void;
  release(): void;
  hold(): void;
  back(): void;
}

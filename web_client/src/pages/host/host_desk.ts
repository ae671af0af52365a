/**
 * The host's desk at work (主持台): each act is one command; the page moves when the event comes.
 *
 * Invariant: nothing is shown as done because a button was pressed; the journaled event shows it.
 */
import { type Signal, signal } from "@preact/signals";
import { t } from "../../i18n.ts";
import type { OpeningCommands } from "../../messages.ts";
import { clock, type Store } from "../../net/store.ts";
import { nextRow } from "../../opening/own.ts";
import { troubleOf } from "../../ui/refusal.tsx";
import { type HostActs, type HostView, READ_EACH_S } from "./host_view.ts";

/** What an act did is said for so long: the page has moved on by then. */
const SAID_MS = 60_000;

export class HostDesk implements HostActs {
  readonly view: Signal<HostView>;
  private readonly store: Store;
  private readonly id: string;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(store: Store, id: string, mayAct: boolean) {
    this.store = store;
    this.id = id;
    this.view = signal<HostView>({
      rooms: [],
      busy: "",
      trouble: null,
      said: null,
      mayAct,
      isAutomatic: false,
    });
  }

  change(change: Partial<HostView>): void {
    this.view.value = { ...this.view.value, ...change };
  }

  private async ask<K extends keyof OpeningCommands>(
    op: K,
    args: OpeningCommands[K],
    said: string | null = null,
  ): Promise<boolean> {
    this.change({ busy: op === "start_window" ? "start" : op, trouble: null, said: null });
    try {
      await this.store.ask(this.id, op, args);
      this.change({ busy: "", said });
      if (said !== null) setTimeout(() => this.unsay(said), SAID_MS);
      return true;
    } catch (error) {
      this.change({ busy: "", trouble: troubleOf(error, clock.now()) });
      return false;
    }
  }

  private unsay(said: string): void {
    if (this.view.value.said === said) this.change({ said: null });
  }

  private get firms(): number {
    return this.store.opening(this.id).value.bids.length;
  }

  start = (session: number, reason: string) =>
    void this.ask("start_window", { session, reason }, t("host.said_start", { n: this.firms }));
  pause = (reason: string) =>
    void this.ask("pause", { reason }, t("host.said_pause", { n: this.firms }));
  resume = () => void this.ask("resume", {}, t("host.said_resume", { n: this.firms }));
  extend = (extraMs: number, reason: string) =>
    void this.ask(
      "extend",
      { extra_ms: extraMs, reason },
      t("host.said_extend", { n: this.firms }),
    );
  endReplies = () => void this.ask("end_replies", {});
  openAll = () => void this.ask("open_all", {});
  read = (no: number) => void this.ask("read_row", { no });
  close = () => void this.ask("close_opening", {});

  /** Reads on by itself; a refused or cut act stops it, and says so. */
  setAutomatic = (isOn: boolean): void => {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.change({ isAutomatic: isOn });
    if (isOn) void this.readOn();
  };

  private async readOn(): Promise<void> {
    const next = nextRow(this.store.opening(this.id).value);
    if (!this.view.value.isAutomatic) return;
    if (next === null || !(await this.ask("read_row", { no: next }))) {
      this.change({ isAutomatic: false });
      return;
    }
    this.timer = setTimeout(() => void this.readOn(), READ_EACH_S * 1000);
  }

  dismiss = (): void => this.change({ trouble: null, said: null });
}

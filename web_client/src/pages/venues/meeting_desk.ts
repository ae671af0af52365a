/**
 * A meeting's page at work (会场工作台): acts go as commands, what is sent follows them.
 *
 * Invariant: a supervisor's voice is sent only while his call stands in the journal, and only to
 * whom the call names; whatever fails leaves nothing of his on the way.
 */
import { type Signal, signal } from "@preact/signals";
import { DeviceFault, takeMicrophone, takeScreen } from "../../live/devices.ts";
import type { LiveRoom } from "../../live/room.ts";
import type { Label } from "../../live/told.ts";
import type { Call, Scope } from "../../meeting/view.ts";
import type { EvaluationCommands } from "../../messages.ts";
import { randomCommandId } from "../../net/commands.ts";
import { clock, type Store } from "../../net/store.ts";
import { type Trouble, troubleOf } from "../../ui/refusal.tsx";
import type { Fault } from "./venue_view.ts";

export class MeetingDesk {
  readonly busy: Signal<string> = signal("");
  readonly trouble: Signal<Trouble | null> = signal<Trouble | null>(null);
  readonly fault: Signal<Fault | null> = signal<Fault | null>(null);
  private readonly store: Store;
  private readonly id: string;
  private readonly room: LiveRoom;

  constructor(store: Store, id: string, room: LiveRoom) {
    this.store = store;
    this.id = id;
    this.room = room;
  }

  async ask<K extends keyof EvaluationCommands>(
    op: K,
    args: EvaluationCommands[K],
  ): Promise<boolean> {
    this.busy.value = op;
    this.trouble.value = null;
    try {
      await this.store.askMeeting(this.id, op, args);
      return true;
    } catch (error) {
      this.trouble.value = troubleOf(error, clock.now());
      return false;
    } finally {
      this.busy.value = "";
    }
  }

  dismiss = (): void => {
    this.trouble.value = null;
  };

  begin = (): void => void this.ask("begin_meeting", {});
  close = (): void => void this.ask("close_meeting", {});
  mute = (person: string, label: Label, muted: boolean): void =>
    void this.ask("mute", { person, label, muted });
  hold = (person: string, held: boolean): void => void this.ask("hold", { person, held });

  onSound = (isOn: boolean): void => {
    this.room.sound.value = isOn;
  };

  onBack = (): void => this.room.comeBack();

  onToggle = (label: Label): void => {
    const source = this.room.publishing.sources.value[label];
    if (source) this.room.publishing.setMuted(label, !source.muted);
  };

  onScreen = (): void => void this.share();

  private async share(): Promise<void> {
    const { publishing } = this.room;
    if (publishing.sources.value.screen) {
      publishing.remove("screen_sound");
      publishing.remove("screen");
      return;
    }
    const screen = await this.taken(takeScreen());
    if (!screen) return;
    publishing.add(screen.picture, "screen");
    if (screen.sound) publishing.add(screen.sound, "screen_sound");
  }

  onLeave = (): void => this.room.publishing.stop();

  /** Device first, so that nobody is called by somebody without a voice; then the journal. */
  call = async (to: Scope): Promise<void> => {
    const voice = await this.taken(takeMicrophone());
    if (!voice) return;
    if (!(await this.ask("call_in", { call: randomCommandId().toLowerCase(), to }))) {
      voice.stop();
      return;
    }
    this.room.publishing.setTo({ kind: to.kind, id: to.id });
    this.room.publishing.add(voice, "microphone");
  };

  /** Silence first: whatever becomes of the command, nobody hears us any more. */
  endCalls = async (calls: readonly Call[]): Promise<void> => {
    this.room.publishing.stop();
    for (const call of calls) {
      if (!(await this.ask("end_call", { call: call.call }))) return;
    }
    this.room.publishing.setTo(null);
  };

  private async taken<T>(device: Promise<T>): Promise<T | null> {
    this.fault.value = null;
    try {
      return await device;
    } catch (error) {
      this.fault.value = error instanceof DeviceFault ? error.kind : "other";
      return null;
    }
  }
}

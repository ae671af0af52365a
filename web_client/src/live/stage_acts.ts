/** What the host does about the floor (发言秩序): each is one journaled command. */
import type { Label } from "./told.ts";

export interface StageActs {
  putOnStage(person: string, reason: string): Promise<unknown>;
  takeOffStage(person: string, reason: string): Promise<unknown>;
  hold(person: string, held: boolean): Promise<unknown>;
  mute(person: string, label: Label, muted: boolean): Promise<unknown>;
}

/**
 * Where we stand in every channel we follow (频道位置).
 *
 * Invariant: an event is given out exactly once and in order: only `seq == last + 1` of the known
 * epoch passes. A duplicate is dropped, a gap asks for a resume, a new epoch starts the room anew.
 */
import type { EventFrame, Position } from "./frames.ts";

export type Verdict = "apply" | "duplicate" | "gap" | "epoch" | "stranger";

interface Place {
  epoch: number;
  seq: number;
}

const keyOf = (room: string, audience: string): string => `${room} ${audience}`;

export class Channels {
  private readonly places = new Map<string, Place>();

  follow(room: string, audience: string): void {
    const key = keyOf(room, audience);
    if (!this.places.has(key)) this.places.set(key, { epoch: 0, seq: 0 });
  }

  leave(room: string, audience: string): void {
    this.places.delete(keyOf(room, audience));
  }

  /** Everything from the start again, for all channels of `room` (their events fold into one view). */
  restart(room: string): void {
    for (const [key, place] of this.places) {
      if (key.startsWith(`${room} `)) {
        place.epoch = 0;
        place.seq = 0;
      }
    }
  }

  positions(room?: string): Position[] {
    return [...this.places]
      .map(([key, place]) => {
        const [name, audience] = key.split(" ") as [string, string];
        return { room: name, audience, epoch: place.epoch, seq: place.seq };
      })
      .filter((position) => room === undefined || position.room === room);
  }

  position(room: string, audience: string): Position | null {
    const place = this.places.get(keyOf(room, audience));
    return place ? { room, audience, epoch: place.epoch, seq: place.seq } : null;
  }

  /** What to do with `event`; `apply` also moves the position. */
  judge(event: Pick<EventFrame, "room" | "audience" | "epoch" | "seq">): Verdict {
    const place = this.places.get(keyOf(event.room, event.audience));
    if (!place) return "stranger";
    if (place.epoch !== 0 && event.epoch !== place.epoch) return "epoch";
    if (event.seq <= place.seq) return "duplicate";
    if (event.seq !== place.seq + 1) return "gap";
    place.epoch = event.epoch;
    place.seq = event.seq;
    return "apply";
  }
}

/** What the venue room and the wall are given, and what they ask for (会场页的值与动作). */
import type { ComponentChildren } from "preact";
import type { DeviceFault } from "../../live/devices.ts";
import type { Link } from "../../live/room.ts";
import type { Label, RecordingState } from "../../live/told.ts";
import type { Line } from "../../meeting/moments.ts";
import type { RoomModel } from "../../meeting/room_model.ts";
import type { MeetingView, Scope } from "../../meeting/view.ts";
import type { Trouble } from "../../ui/refusal.tsx";
import type { Surroundings } from "../frame.tsx";
import type { ShowPicture } from "./tiles.tsx";

/** No UDP passes here: one sees and hears by fragments, and sends nothing. */
export interface Fallback {
  readonly latencyMs: number | null;
  readonly udpPort: number;
  /** Nobody sees us anyway: it is calls that do not go out. */
  readonly isHidden: boolean;
}

export interface MeetingProps {
  readonly around: Surroundings;
  readonly view: MeetingView;
  readonly model: RoomModel;
  /** How this page itself is connected to the media room. */
  readonly mediaLink: Link;
  /** null: pictures come as they should. */
  readonly fallback: Fallback | null;
  /** Who speaks, where the page can play but one picture; null: it plays them all. */
  readonly program: ComponentChildren;
  readonly recording: RecordingState;
  readonly lines: readonly Line[];
  readonly show: ShowPicture;
  readonly isSoundOn: boolean;
  readonly trouble: Trouble | null;
  readonly busy: string;
}

/** What of this page is sent. */
export interface Sending {
  readonly label: Label;
  readonly isOn: boolean;
  /** The moderator has switched it off: what we do here changes nothing. */
  readonly isOffByHost: boolean;
}

export interface RoomActs {
  onSound(isOn: boolean): void;
  dismiss(): void;
  /** This page instead of the other one of ours. */
  onBack(): void;
}

export interface VenueActs extends RoomActs {
  onJoin(): void;
  onToggle(label: Label): void;
  onScreen(): void;
  onLeave(): void;
  mute(person: string, label: Label, muted: boolean): void;
  hold(person: string, held: boolean): void;
  begin(): void;
  close(): void;
}

export interface WallActs extends RoomActs {
  call(to: Scope): void;
  endCall(): void;
}

export type Fault = DeviceFault["kind"];

/**
 * Folds the events of a meeting into the view of its pages: `foldMeeting(view, event)`.
 *
 * Invariant: pure; an unknown type is remembered, never guessed at. Hall and staff channels meet
 * here, and neither needs the other's event to have come first.
 */
import type { CallTo, EvaluationEvents } from "../messages.ts";
import type { FloorEvent } from "./floor_lines.ts";
import type { FloorView, MeetingView, Scope } from "./view.ts";

/** Far more than a meeting has; what is older than these is in the journal all the same. */
const EVENTS_MAX = 2000;

type Folding<T> = (view: MeetingView, body: T, atMs: number) => MeetingView;
type Table = { readonly [K in keyof EvaluationEvents]: Folding<EvaluationEvents[K]> };

export function foldMeeting(view: MeetingView, event: FloorEvent): MeetingView {
  const folding = (TABLE as Readonly<Record<string, Folding<never>>>)[event.type];
  if (!folding || !Object.hasOwn(TABLE, event.type)) {
    if (view.unknownTypes.includes(event.type)) return view;
    return { ...view, unknownTypes: [...view.unknownTypes, event.type] };
  }
  const next = folding(view, event.body as never, event.serverMs);
  return { ...next, events: [...view.events.slice(1 - EVENTS_MAX), event] };
}

function floor(view: MeetingView, change: Partial<FloorView>): MeetingView {
  return { ...view, floor: { ...view.floor, ...change } };
}

function withOne(set: ReadonlySet<string>, one: string): ReadonlySet<string> {
  return new Set([...set, one]);
}

function withoutOne(set: ReadonlySet<string>, one: string): ReadonlySet<string> {
  return new Set([...set].filter((each) => each !== one));
}

function scope(to: CallTo): Scope {
  const kind = to.kind === "seat" || to.kind === "venue" ? to.kind : "all";
  return { kind, id: to.id ?? "" };
}

const RECORDING_AFTER: Readonly<Record<string, string>> = {
  pictures_stopped: "no_pictures",
  pictures_resumed: "on",
  refused: "refused",
  ended: "ended",
  removed: "removed",
};

const TABLE: Table = {
  meeting_held: (view, body) => ({
    ...view,
    title: body.title,
    venues: body.venues,
    moderator: body.moderator,
  }),
  supervisors_named: (view, body) => ({ ...view, supervisors: body.supervisors }),
  meeting_began: (view, _body, atMs) => ({ ...view, stage: "running", beganMs: atMs }),
  meeting_closed: (view, _body, atMs) => ({ ...view, stage: "closed", closedMs: atMs }),
  put_on_stage: (view) => view,
  taken_off_stage: (view) => view,
  held: (view, body) => floor(view, { held: withOne(view.floor.held, body.person) }),
  released_from_hold: (view, body) =>
    floor(view, { held: withoutOne(view.floor.held, body.person) }),
  muted: (view, body) =>
    floor(view, { muted: withOne(view.floor.muted, `${body.person} ${body.label}`) }),
  unmuted: (view, body) =>
    floor(view, { muted: withoutOne(view.floor.muted, `${body.person} ${body.label}`) }),
  call_began: (view, body, atMs) => {
    const call = { call: body.call, person: body.person, to: scope(body.to), beganMs: atMs };
    return floor(view, { calls: { ...view.floor.calls, [body.call]: call } });
  },
  call_ended: (view, body) => {
    const { [body.call]: _over, ...calls } = view.floor.calls;
    return floor(view, { calls });
  },
  recording_began: (view) => floor(view, { recording: "on" }),
  segment_sealed: (view) => view,
  recording_reported: (view, body) =>
    floor(view, { recording: RECORDING_AFTER[body.what] ?? view.floor.recording }),
};

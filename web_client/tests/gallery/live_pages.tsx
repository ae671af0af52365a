/** Moments of live video for the gallery (音视频): panel, stage, check, studio, without a camera. */
import type { ComponentChildren } from "preact";
import {
  type BroadcastActs,
  BroadcastPanel,
  type BroadcastView,
} from "../../src/live/broadcast_panel.tsx";
import { type CheckActs, CheckDialog, type CheckView } from "../../src/live/check_view.tsx";
import type { Air } from "../../src/live/program.ts";
import { StageCase, type StageCaseActs, type StageView } from "../../src/live/stage_case.tsx";
import { type StudioActs, StudioPane } from "../../src/live/studio_pane.tsx";
import type { PersonRow, StudioView } from "../../src/live/studio_view.ts";

type Page = () => preact.JSX.Element;

/** The page that stands around what is live. */
type Around = (live: ComponentChildren) => preact.JSX.Element;

const nothing = () => {};
const acts = new Proxy({}, { get: () => nothing }) as BroadcastActs &
  CheckActs &
  StageCaseActs &
  StudioActs;

const playing: BroadcastView = {
  state: "playing",
  who: "主持人 林悦 江州建招代理有限公司",
  isScreen: false,
  way: "fragments",
  isFallback: false,
  latencyMs: 1240,
  quality: "good",
  hasSound: true,
  isSoundOn: false,
  isAudioOnly: false,
  recording: "on",
};

/** Stands where a video would. */
function TestCard() {
  return (
    <svg class="live-picture" viewBox="0 0 16 9" aria-hidden="true">
      <path fill="#2b4a63" d="M0 0h16v9H0z" />
      <path fill="#c9a27a" d="M6.6 2.4h2.8v2.9H6.6z" />
      <path fill="#1d2229" d="M4.6 9V7l2-1.4h2.8l2 1.4v2z" />
    </svg>
  );
}

function Panel({
  change = {},
  air = null,
  children,
}: {
  readonly change?: Partial<BroadcastView>;
  readonly air?: Air | null;
  readonly children?: ComponentChildren;
}) {
  const view = { ...playing, ...change };
  return (
    <BroadcastPanel view={view} air={air} acts={acts} picture={<TestCard />}>
      {children}
    </BroadcastPanel>
  );
}

const stage: StageView = {
  step: "asked",
  reason: "对 2 号标段的报价有异议，请说明",
  sources: [],
  silenced: [],
  isHeld: false,
  isSecond: false,
};

/** A picture without a camera. */
function card(): MediaStreamTrack {
  const canvas = document.createElement("canvas");
  canvas.width = 320;
  canvas.height = 180;
  const paint = canvas.getContext("2d") as CanvasRenderingContext2D;
  paint.fillStyle = "#2b4a63";
  paint.fillRect(0, 0, 320, 180);
  paint.fillStyle = "#c9a27a";
  paint.fillRect(130, 50, 60, 60);
  return canvas.captureStream(5).getVideoTracks()[0] as MediaStreamTrack;
}

const media = card();
const devices = [
  { id: "a", name: "内置摄像头" },
  { id: "b", name: "USB 会议摄像头" },
];
const check: CheckView = {
  step: "check",
  audience: "public",
  isRecorded: true,
  camera: { kind: "fault", fault: "busy" },
  microphone: { kind: "on", media },
  level: 0.58,
  wasHeard: true,
  cameras: devices,
  microphones: devices,
  network: { kind: "up", isRelayed: false, rttMs: 18, quality: "good" },
};

const person = (change: Partial<PersonRow>): PersonRow => ({
  member: "p",
  name: "何川",
  org: "澄江路桥建设有限公司",
  role: "bidder",
  isConnected: true,
  sent: [],
  isOnStage: false,
  isHeld: false,
  isStageable: true,
  ...change,
});

const people: readonly PersonRow[] = [
  person({
    member: "a",
    isOnStage: true,
    sent: [
      { label: "microphone", state: "muted", isSilenced: true },
      { label: "camera", state: "on", isSilenced: false },
    ],
  }),
  person({
    member: "camera:hall-2",
    name: "二号机位",
    org: "",
    role: "",
    isConnected: false,
    isStageable: false,
    sent: [{ label: "camera", state: "stopped", isSilenced: false }],
  }),
  person({ member: "b", name: "沈岚", org: "北屿市政工程有限公司" }),
];

const studio: StudioView = {
  phase: "off",
  isLost: false,
  own: {},
  quality: "none",
  people,
  watching: 1284,
  stopped: [],
  recording: "on",
  mayPublish: true,
};

const own = {
  microphone: { isMuted: true },
  camera: { isMuted: false },
  screen: { isMuted: false },
};

export function livePages(hall: Around, host: Around): Readonly<Record<string, Page>> {
  const onStage = (change: Partial<StageView>) => () =>
    hall(
      <Panel>
        <StageCase view={{ ...stage, ...change }} acts={acts} />
      </Panel>,
    );
  const checked = (change: Partial<CheckView>) => () =>
    hall(
      <Panel>
        <CheckDialog view={{ ...check, ...change }} acts={acts} />
      </Panel>,
    );
  const studioAt = (change: Partial<StudioView>) => () =>
    host(<StudioPane view={{ ...studio, ...change }} acts={acts} />);
  const stopped = [
    {
      member: "camera:hall-2",
      name: "二号机位",
      label: "camera" as const,
      atMs: 1_795_138_267_000,
    },
  ];
  return {
    "live-hall": () => hall(<Panel />),
    "live-hall-sound": () => hall(<Panel change={{ isSoundOn: true, isAudioOnly: true }} />),
    "live-hall-lost": () => hall(<Panel change={{ state: "lost" }} />),
    "live-hall-late": () => hall(<Panel change={{ state: "late", isFallback: true }} />),
    "live-hall-nobody": () =>
      hall(<Panel change={{ state: "nobody", who: "", hasSound: false }} />),
    "live-stage-asked": onStage({}),
    "live-stage-on": onStage({
      step: "on",
      sources: [
        { label: "microphone", media, isMuted: true },
        { label: "camera", media, isMuted: false },
      ],
    }),
    "live-stage-silenced": onStage({
      step: "on",
      sources: [{ label: "microphone", media, isMuted: false }],
      silenced: ["microphone"],
      isHeld: true,
    }),
    "live-stage-over": onStage({ step: "over" }),
    "live-consent": checked({ step: "consent" }),
    "live-check": checked({}),
    "live-check-blocked": checked({ network: { kind: "blocked" }, level: 0, wasHeard: false }),
    "live-studio-off": studioAt({}),
    "live-studio-on": studioAt({ phase: "up", quality: "fair", own, stopped }),
    "live-studio-lost": studioAt({ phase: "waiting", isLost: true, own }),
  };
}

/**
 * Every page at every moment (画廊): `?page=decrypt&lang=en`. For looking at, and for screenshots.
 *
 * Pages are pure, so a moment is a cut trace and a few values; nothing here talks to a server.
 */
import { render } from "preact";
import "../../src/styles/index.css";
import { unhex } from "../../src/crypto/bytes.ts";
import { setLocale } from "../../src/i18n.ts";
import type { TenderRow } from "../../src/net/lookups.ts";
import { foldOpening } from "../../src/opening/fold.ts";
import { emptyOpening, type OpeningView } from "../../src/opening/view.ts";
import { BidPage } from "../../src/pages/bid/bid_page.tsx";
import { type DeskActs, type DeskView, emptyDesk } from "../../src/pages/bid/desk_view.ts";
import { BoardPage } from "../../src/pages/board_page.tsx";
import { DemoPage } from "../../src/pages/demo_page.tsx";
import type { Surroundings } from "../../src/pages/frame.tsx";
import { HallPage } from "../../src/pages/hall_page.tsx";
import { HostPage } from "../../src/pages/host/host_page.tsx";
import type { HostActs, HostView } from "../../src/pages/host/host_view.ts";
import type { OfficerActs, OfficerView } from "../../src/pages/host/officer_view.ts";
import { LoginPage } from "../../src/pages/login_page.tsx";
import { TrusteePage } from "../../src/pages/trustee/trustee_page.tsx";
import type { TrusteeActs, TrusteeView } from "../../src/pages/trustee/trustee_view.ts";
import { emptyTender, type TenderView } from "../../src/tender/view.ts";
import {
  DEADLINE_MS,
  FINGERPRINT,
  idHex,
  OWN_NO,
  OWN_ORG,
  of,
  openingTrace,
  START_MS,
  type TraceEvent,
  until,
  WINDOW_MS,
} from "../traces.ts";
import { livePages } from "./live_pages.tsx";
import { meetingPages } from "./meeting_pages.tsx";
import { playbackPages } from "./playback_pages.tsx";

const nothing = () => {};
const acts = new Proxy({}, { get: () => nothing }) as DeskActs &
  HostActs &
  TrusteeActs &
  OfficerActs;
const ENDED_MS = START_MS + WINDOW_MS;
const trace = openingTrace({ bidders: 67, locked: [52] });

const folded = (events: readonly TraceEvent[]): OpeningView =>
  events.reduce(foldOpening, emptyOpening("jz-2026-sg-0417"));

const me = {
  bidder: {
    person: "b",
    role: "bidder",
    org: OWN_ORG,
    name: "何川",
    org_name: "澄江路桥建设有限公司",
  },
  supervisor: {
    person: "s",
    role: "supervisor",
    org: "z",
    name: "周岩",
    org_name: "江州市住房和城乡建设局",
  },
  host: { person: "h", role: "host", org: "x", name: "林悦", org_name: "江州建招代理有限公司" },
  trustee: {
    person: "t",
    role: "trustee",
    org: "y",
    name: "王芳",
    org_name: "江州市城市建设发展有限公司",
  },
};

function around(nowMs: number, who: object = {}): Surroundings {
  return {
    me: who,
    nowMs,
    link: "live",
    rttMs: 38,
    errorMs: 19,
    deviceAheadMs: 12,
    isDemo: true,
    counts: { viewers: 412, unlocked: 41 },
  };
}

const rows: TenderRow[] = [
  {
    id: "jz-2026-sg-0417",
    number: "JZ-2026-SG-0417",
    title: "江州市滨河东路道路改造工程（施工）",
    purchaser: "江州市城市建设发展有限公司",
    agency: "江州建招代理有限公司",
    deadline_ms: DEADLINE_MS,
    stage: "decryption",
    session_end_ms: ENDED_MS,
  },
  {
    id: "b",
    number: "JZ-2026-JL-0102",
    title: "江州市第三中学教学楼（监理）",
    purchaser: "",
    agency: "江州建招代理有限公司",
    deadline_ms: DEADLINE_MS,
    stage: "opening",
    session_end_ms: null,
  },
  {
    id: "c",
    number: "JZ-2026-SG-0388",
    title: "城北片区污水管网二期（施工）",
    purchaser: "",
    agency: "江州建招代理有限公司",
    deadline_ms: DEADLINE_MS,
    stage: "read_out",
    session_end_ms: null,
  },
  {
    id: "d",
    number: "JZ-2026-SG-0421",
    title: "云州至岭口二级公路改建（施工）",
    purchaser: "",
    agency: "江州建招代理有限公司",
    deadline_ms: DEADLINE_MS + 3_600_000,
    stage: "sign_in",
    session_end_ms: null,
  },
  {
    id: "e",
    number: "JZ-2026-SL-0019",
    title: "安渡水库除险加固（施工）",
    purchaser: "",
    agency: "江州建招代理有限公司",
    deadline_ms: DEADLINE_MS - 3_600_000,
    stage: "closed",
    session_end_ms: null,
  },
];

const registered: DeskView = {
  ...emptyDesk(),
  isLoaded: true,
  registered: { bidderPk: "aa".repeat(32), certified: false },
  key: { kind: "open", pk: "aa".repeat(32) },
};
const delivered: DeskView = {
  ...registered,
  envelopes: [1, 2].map((envelope) => ({
    envelope,
    lot: 1,
    bidId: idHex(OWN_NO, envelope),
    bytes: envelope === 1 ? 4112 : 223_760_000,
    submitted: true,
  })),
  submits: [
    {
      sha256: "5f0c91e72b44a8d306ce7719e0b24d9ac31f885690ad2e7b1148f36c05d9ba72",
      isWithdrawal: false,
      lot: 1,
      seq: 1,
      receivedMs: DEADLINE_MS - 61_792_682,
      bidIds: [idHex(OWN_NO, 1), idHex(OWN_NO, 2)],
    },
  ],
  receipts: [
    {
      sha256: "5f0c91e72b44a8d306ce7719e0b24d9ac31f885690ad2e7b1148f36c05d9ba72",
      isValid: true,
      fault: "",
      file: new Uint8Array(),
      name: "r.receipt.json",
    },
  ],
};
const card =
  "AF7H 3K9Q PA2X WD4M 6T4R BCQL K3I2 LLO5 CSDT ZC5J Z64H 7QQA 2345 ABCD EFGH IJKL MNOP QRST";
const trouble = { code: "unlock.key_mismatch", detail: {}, atMs: START_MS + 60_000 };

const host: HostView = {
  rooms: rows,
  busy: "",
  trouble: null,
  said: null,
  mayAct: true,
  isAutomatic: false,
};
const officer: OfficerView = {
  role: "host",
  hasKey: true,
  busy: "",
  trouble: null,
  checked: {},
};
const tender: TenderView = { ...emptyTender("jz-2026-sg-0417"), deadlineMs: DEADLINE_MS };
const ACT = "ab".repeat(32);
const signed = {
  act: unhex(ACT),
  by: "host",
  person: "h",
  name: "林悦",
  pk: new Uint8Array(32),
  sig: new Uint8Array(64),
};
const CLOSED_MS = ENDED_MS + 300_000;
const suggested = {
  no: 52,
  envelope: 1,
  bid_id: unhex(idHex(52, 1)),
  state: "locked",
  ground: "revoked",
  why: "late",
  tries: 2,
  last_code: "unlock.window_closed",
  last_ms: ENDED_MS + 2500,
  lost_ms: 0,
};
const proposed = {
  ...signed,
  no: 52,
  envelope: 1,
  bid_id: suggested.bid_id,
  suggested: "revoked",
  ground: "revoked",
  reason: "解密请求在时限结束以后才到，最后一次 10:00:02",
};
const OTHER = { no: 53, bid_id: unhex(idHex(53, 1)) };
const OTHER_ACT = "cd".repeat(32);
/** The read-out, and what the two officers have done about the one that stayed closed. */
const closedBid = (...more: readonly [string, object][]): OpeningView =>
  more.reduce(
    (view, [type, body]) => foldOpening(view, { type, serverMs: CLOSED_MS, body }),
    folded(of(trace, "hall", "staff").filter((e) => e.serverMs < ENDED_MS + 500_000)),
  );
const names = [
  "trustee",
  "log",
  "closing_seen",
  "closing",
  "clock",
  "submits",
  "headers",
  "windows",
  "window_end",
  "halves",
  "first_release",
];
const trustee: TrusteeView = {
  step: { kind: "checked" },
  checks: names.map((name) => ({ name, ok: true, code: "" })),
  isOk: true,
  sharesGiven: 132,
  seenFingerprint: { text: FINGERPRINT, atMs: DEADLINE_MS + 4000 },
  trouble: null,
};

const before = folded(of(until(trace, "sign_in_opened"), "hall"));
const signedIn = folded(of(until(trace, "bidder_signed_in"), "hall", "party"));
const hallAt = (type: string) => folded(of(until(trace, type), "hall"));
const ownAt = (type: string) => folded(of(until(trace, type), "hall", "party"));
const staffAt = (type: string) => folded(of(until(trace, type), "hall", "staff"));
const midway = trace.filter((event) => event.serverMs <= START_MS + 12 * 60_000);
const asked = folded(of(until(trace, "window_opened"), "hall", "party"));
const paused = foldOpening(asked, {
  type: "window_changed",
  serverMs: START_MS + 60_000,
  body: {
    change: "pause",
    end_ms: ENDED_MS,
    remaining_ms: 1_740_000,
    reason: "等待监督人核实链路",
    nonces: [],
  },
});
const bid = (view: OpeningView, nowMs: number, desk: Partial<DeskView> = {}) => (
  <BidPage
    view={view}
    desk={{ ...delivered, ...desk }}
    acts={acts}
    around={around(nowMs, me.bidder)}
  />
);
const running = START_MS + 678_000;

const PAGES: Readonly<Record<string, () => preact.JSX.Element>> = {
  board: () => <BoardPage around={around(running)} rows={rows} isLoaded />,
  "hall-before": () => <HallPage view={before} around={around(DEADLINE_MS - 61_740_000)} />,
  "hall-announced": () => (
    <HallPage view={hallAt("bidders_announced")} around={around(DEADLINE_MS + 2000)} />
  ),
  "hall-decrypt": () => <HallPage view={hallAt("window_opened")} around={around(running)} />,
  "hall-release": () => (
    <HallPage view={hallAt("trustee_released")} around={around(ENDED_MS + 60_000)} />
  ),
  "hall-readout": () => (
    <HallPage
      view={folded(of(trace, "hall").filter((e) => e.serverMs < ENDED_MS + 500_000))}
      around={around(ENDED_MS + 500_000)}
    />
  ),
  "hall-closed": () => (
    <HallPage view={hallAt("opening_closed")} around={around(ENDED_MS + 2_000_000)} />
  ),
  "hall-failed": () => (
    <HallPage
      view={foldOpening(
        folded(of(until(openingTrace({ bidders: 2 }), "bidders_announced"), "hall")),
        {
          type: "opening_failed",
          serverMs: DEADLINE_MS + 500,
          body: { reason: "too_few_bids" },
        },
      )}
      around={around(DEADLINE_MS + 2000)}
    />
  ),
  "bid-key": () =>
    bid(before, DEADLINE_MS - 61_740_000, {
      ...emptyDesk(),
      isLoaded: true,
      key: { kind: "absent" },
    }),
  "bid-form": () => bid(before, DEADLINE_MS - 61_740_000, { submits: [], envelopes: [] }),
  "bid-sealing": () =>
    bid(before, DEADLINE_MS - 61_740_000, {
      submits: [],
      job: {
        lot: 1,
        step: "sending",
        isPaused: false,
        startedMs: 0,
        bytesPerS: 460_000,
        trouble: null,
        files: [
          { envelope: 1, name: "开标一览表", size: 4112, sealed: 4112, sent: 4112, state: "here" },
          {
            envelope: 2,
            name: "技术标",
            size: 223_760_000,
            sealed: 223_760_000,
            sent: 139_000_000,
            state: "sending",
          },
        ],
      },
    }),
  "bid-delivered": () =>
    bid(before, DEADLINE_MS - 1_476_000, {
      cards: [
        { envelope: 1, envelopeName: "开标一览表", lot: 1, text: card },
        { envelope: 2, envelopeName: "技术标", lot: 1, text: card },
      ],
    }),
  "bid-todo": () => bid(signedIn, DEADLINE_MS - 1_476_000),
  "bid-ready": () => bid(signedIn, DEADLINE_MS - 1_476_000, { rehearsal: "passed" }),
  "bid-announced": () =>
    bid(ownAt("bidders_announced"), DEADLINE_MS + 2000, { rehearsal: "passed" }),
  "bid-decrypt": () => bid(asked, running, { rehearsal: "passed" }),
  "bid-last": () => bid(asked, ENDED_MS - 42_000, { rehearsal: "passed" }),
  "bid-paused": () => bid(paused, START_MS + 90_000),
  "bid-locked-key": () => bid(asked, ENDED_MS - 240_000, { key: { kind: "locked" } }),
  "bid-sending": () => bid(asked, running, { unlock: { kind: "sending" } }),
  "bid-failed": () => bid(asked, ENDED_MS - 665_000, { unlock: { kind: "failed", trouble } }),
  "bid-clock": () =>
    bid(asked, running, {
      unlock: { kind: "ask_clock", deviceMs: DEADLINE_MS - 180_000, deadlineMs: DEADLINE_MS },
    }),
  "bid-waiting": () => bid(folded(of(midway, "hall", "party")), START_MS + 12 * 60_000),
  "bid-release": () => bid(ownAt("trustee_released"), ENDED_MS + 60_000),
  "bid-readout": () =>
    bid(
      folded(of(trace, "hall", "party").filter((e) => e.serverMs < ENDED_MS + 500_000)),
      ENDED_MS + 500_000,
      {
        sameAsSealed: { [idHex(OWN_NO, 1)]: true },
      },
    ),
  "bid-lost": () => (
    <BidPage
      view={asked}
      desk={delivered}
      acts={acts}
      around={{ ...around(running, me.bidder), link: "lost", deviceAheadMs: -180_000 }}
    />
  ),
  "host-before": () => (
    <HostPage
      view={before}
      host={host}
      acts={acts}
      tender={tender}
      officer={officer}
      officerActs={acts}
      around={around(DEADLINE_MS - 600_000, me.host)}
    />
  ),
  "host-start": () => (
    <HostPage
      view={staffAt("checkpoint_reached")}
      host={{ ...host }}
      acts={acts}
      tender={tender}
      officer={officer}
      officerActs={acts}
      around={around(DEADLINE_MS + 20_000, me.host)}
    />
  ),
  "host-announced": () => (
    <HostPage
      view={folded(
        of(
          trace.slice(
            0,
            trace.findIndex((e) => e.type === "window_opened"),
          ),
          "hall",
          "staff",
        ),
      )}
      host={host}
      acts={acts}
      tender={tender}
      officer={officer}
      officerActs={acts}
      around={around(DEADLINE_MS + 20_000, me.host)}
    />
  ),
  "host-decrypt": () => (
    <HostPage
      view={folded(
        [...of(midway, "hall", "staff")].filter(
          (e) => e.type !== "bid_unlocked" || e.serverMs < START_MS + 330_000,
        ),
      )}
      host={host}
      acts={acts}
      tender={tender}
      officer={officer}
      officerActs={acts}
      around={around(START_MS + 12 * 60_000, me.host)}
    />
  ),
  "host-release": () => (
    <HostPage
      view={staffAt("replies_ended")}
      host={host}
      acts={acts}
      tender={tender}
      officer={officer}
      officerActs={acts}
      around={around(ENDED_MS + 80_000, me.host)}
    />
  ),
  "host-readout": () => (
    <HostPage
      view={folded(of(trace, "hall", "staff").filter((e) => e.serverMs < ENDED_MS + 500_000))}
      host={host}
      acts={acts}
      tender={tender}
      officer={officer}
      officerActs={acts}
      around={around(ENDED_MS + 500_000, me.host)}
    />
  ),
  "host-grounds": () => (
    <HostPage
      view={closedBid(["grounds_suggested", { bids: [suggested] }])}
      host={host}
      acts={acts}
      tender={tender}
      officer={officer}
      officerActs={acts}
      around={around(ENDED_MS + 500_000, me.host)}
    />
  ),
  "supervisor-many": () => (
    <HostPage
      view={closedBid(
        ["grounds_suggested", { bids: [suggested, { ...suggested, ...OTHER }] }],
        ["ground_proposed", proposed],
        ["ground_proposed", { ...proposed, ...OTHER, act: unhex(OTHER_ACT) }],
      )}
      host={{ ...host, mayAct: false }}
      acts={acts}
      tender={tender}
      officer={{ ...officer, role: "supervisor", checked: { [ACT]: "", [OTHER_ACT]: "" } }}
      officerActs={acts}
      around={around(ENDED_MS + 500_000, me.supervisor)}
    />
  ),
  "host-many-grounds": () => (
    <HostPage
      view={closedBid(["grounds_suggested", { bids: [suggested, { ...suggested, ...OTHER }] }])}
      host={host}
      acts={acts}
      tender={tender}
      officer={officer}
      officerActs={acts}
      around={around(ENDED_MS + 500_000, me.host)}
    />
  ),
  "supervisor-sign": () => (
    <HostPage
      view={closedBid(["grounds_suggested", { bids: [suggested] }], ["ground_proposed", proposed])}
      host={{ ...host, mayAct: false }}
      acts={acts}
      tender={tender}
      officer={{ ...officer, role: "supervisor", checked: { [ACT]: "" } }}
      officerActs={acts}
      around={around(ENDED_MS + 500_000, me.supervisor)}
    />
  ),
  "supervisor-altered": () => (
    <HostPage
      view={closedBid(["grounds_suggested", { bids: [suggested] }], ["ground_proposed", proposed])}
      host={{ ...host, mayAct: false }}
      acts={acts}
      tender={tender}
      officer={{ ...officer, role: "supervisor", checked: { [ACT]: "act.stale" } }}
      officerActs={acts}
      around={around(ENDED_MS + 500_000, me.supervisor)}
    />
  ),
  "supervisor-deadline": () => (
    <HostPage
      view={before}
      host={{ ...host, mayAct: false }}
      acts={acts}
      tender={{
        ...tender,
        deadlineProposal: {
          kind: "deadline",
          act: ACT,
          by: "host",
          name: "林悦",
          reason: "补遗第二号，延长编制时间",
          pk: "",
          sig: "",
          atMs: DEADLINE_MS - 700_000,
          oldMs: DEADLINE_MS,
          deadlineMs: DEADLINE_MS + 86_400_000,
        },
      }}
      officer={{ ...officer, role: "supervisor", hasKey: false }}
      officerActs={acts}
      around={around(DEADLINE_MS - 600_000, me.supervisor)}
    />
  ),
  "host-damaged": () => (
    <HostPage
      view={foldOpening(folded(of(until(trace, "window_ended"), "hall", "staff")), {
        type: "damage_found",
        serverMs: CLOSED_MS,
        body: { bid_ids: [unhex(idHex(7, 1))] },
      })}
      host={host}
      acts={acts}
      tender={tender}
      officer={officer}
      officerActs={acts}
      around={around(ENDED_MS + 80_000, me.host)}
    />
  ),
  trustee: () => (
    <TrusteePage
      view={hallAt("window_ended")}
      trustee={trustee}
      acts={acts}
      around={around(ENDED_MS + 20_000, me.trustee)}
    />
  ),
  "trustee-bad": () => (
    <TrusteePage
      view={hallAt("window_ended")}
      trustee={{
        ...trustee,
        isOk: false,
        checks: trustee.checks.map((c) =>
          c.name === "submits" ? { ...c, ok: false, code: "release_check.closed_list" } : c,
        ),
      }}
      acts={acts}
      around={around(ENDED_MS + 20_000, me.trustee)}
    />
  ),
  "trustee-waiting": () => (
    <TrusteePage
      view={hallAt("window_opened")}
      trustee={{ ...trustee, step: { kind: "waiting" } }}
      acts={acts}
      around={around(running, me.trustee)}
    />
  ),
  login: () => (
    <LoginPage
      around={around(running)}
      rows={rows}
      isBusy={false}
      trouble={null}
      onFile={nothing}
      onLeave={nothing}
    />
  ),
  demo: () => (
    <DemoPage
      around={around(running)}
      rows={rows}
      tender="jz-2026-sg-0417"
      people={Object.values(me).map((one) => ({ ...one, seed: "00".repeat(32) }))}
      meeting="pb-2026-sg-0417"
      attendants={["h", "s"]}
    />
  ),
};

const MORE_PAGES = {
  ...playbackPages(around(running, me.host)),
  ...meetingPages(around),
  ...livePages(
    (live) => <HallPage view={hallAt("window_opened")} around={{ ...around(running), live }} />,
    (live) => (
      <HostPage
        view={staffAt("window_opened")}
        host={host}
        acts={acts}
        tender={tender}
        officer={officer}
        officerActs={acts}
        around={{ ...around(running, me.host), live }}
      />
    ),
  ),
};
const ALL_PAGES: typeof PAGES = { ...PAGES, ...MORE_PAGES };

const query = new URLSearchParams(location.search);
setLocale(query.get("lang") === "en" ? "en" : "zh-CN");
const page = ALL_PAGES[query.get("page") ?? ""];
const app = document.getElementById("app") as HTMLElement;
if (page) {
  const Shown = page;
  render(<Shown />, app);
} else {
  render(
    <ul>
      {Object.keys(ALL_PAGES).map((name) => (
        <li key={name}>
          <a href={`?page=${name}`}>{name}</a> <a href={`?page=${name}&lang=en`}>en</a>
        </li>
      ))}
    </ul>,
    app,
  );
}

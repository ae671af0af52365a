/**
 * A whole opening as its channels carry it (开标全程), for the fold's tests and the gallery.
 *
 * Names and firms are invented. The story: 江州, 滨河东路道路改造, 2026-11-20; one bidder in `locked`
 * never unlocks.
 */

import { unhex } from "../src/crypto/bytes.ts";
import { encode, type Json } from "../src/crypto/canonical.ts";
import type { OpeningEvent } from "../src/opening/fold.ts";

export const DEADLINE_MS = 1_795_138_200_000;
const MINUTE_MS = 60_000;
export const WINDOW_MS = 30 * MINUTE_MS;
export const START_MS = DEADLINE_MS + MINUTE_MS;

const FIRST = [
  "朝安",
  "云岭",
  "青峦",
  "石渠",
  "宏川",
  "鼎固",
  "沐原",
  "安澜",
  "北渡",
  "长堤",
  "春申",
  "丹陵",
];
const SECOND = ["市政工程", "路桥建设", "交通建设", "建筑工程", "基础工程", "建设集团"];

export function firmName(no: number): string {
  if (no === OWN_NO) return "澄江路桥建设有限公司";
  return `${FIRST[no % FIRST.length]}${SECOND[(no * 5) % SECOND.length]}有限公司`;
}

export const OWN_NO = 3;
export const OWN_ORG = "91360800MA00000044";
export const orgOf = (no: number) =>
  no === OWN_NO ? OWN_ORG : `91360800MB${String(no).padStart(8, "0")}`;

export const idHex = (no: number, envelope: number) =>
  (no * 256 + envelope).toString(16).padStart(64, "0");
const nonce = (envelope: number, w: number) =>
  unhex((w * 256 + envelope).toString(16).padStart(64, "c"));

const trustee = (role: string, code: string, organisation: string, name: string, seed: string) => ({
  role,
  code,
  organisation,
  name,
  envelopes: [1, 2],
  expiry_ms: 1_800_000_000_000,
  xpk: seed.repeat(32),
  spk: seed.split("").reverse().join("").repeat(32),
  proof: "00".repeat(64),
  ca: null,
});

export const MANIFEST = {
  format: 1,
  suite: 1,
  demo: true,
  parent: null,
  number: "JZ-2026-SG-0417",
  title: "滨河东路道路改造工程（施工）",
  purchaser: { code: "91360800MA00000022", name: "江州市城市建设发展有限公司" },
  agency: { code: "91360800MA00000011", name: "江州建招代理有限公司" },
  deadline_ms: DEADLINE_MS,
  template: "building",
  min_bidders: 3,
  submissions_max: 20,
  uncertified_allowed: true,
  traces: false,
  names_masked: false,
  lots: [{ lot: 1, name: "第一标段" }],
  envelopes: [
    {
      envelope: 1,
      kind: "form",
      name: "开标一览表",
      log2_chunk: 16,
      pt_len_max: 65_536,
      mode: 0,
      t: 2,
      trustees: [1, 2, 3],
      fields: [
        {
          name: "price",
          type: "money",
          label: { en: "Bid price", zh: "投标报价" },
          decides: true,
          optional: false,
        },
        {
          name: "days",
          type: "days",
          label: { en: "Duration", zh: "工期" },
          decides: false,
          optional: false,
          max: 3650,
        },
        {
          name: "manager",
          type: "text",
          label: { en: "Project manager", zh: "项目经理" },
          decides: false,
          optional: false,
          max: 40,
        },
      ],
    },
    {
      envelope: 2,
      kind: "body",
      name: "技术标",
      log2_chunk: 20,
      pt_len_max: 2_147_483_648,
      mode: 0,
      t: 2,
      trustees: [1, 2, 3],
    },
  ],
  sessions: [
    {
      session: 1,
      envelopes: [1, 2],
      window_ms: WINDOW_MS,
      reply_ms: 900_000,
      early_end: true,
      show_count: true,
      outage: "extend",
      outage_ms_max: 1_800_000,
      unattended: false,
    },
  ],
  trustees: [
    trustee("agency", "91360800MA00000011", "江州建招代理有限公司", "李明", "1b"),
    trustee("purchaser", "91360800MA00000022", "江州市城市建设发展有限公司", "王芳", "2c"),
    trustee("supervisor", "11360800000000033X", "江州市住房和城乡建设局", "赵强", "3d"),
  ],
  officers: [],
  host_receipt_pk: "48".repeat(32),
  log: { origin: "hall.jiangzhou.example/kaibiao/log", pk: "5e".repeat(32) },
  witnesses: [],
  quorum: 0,
  closing_bound_ms: 60_000,
  programs: [],
  draws: [],
};

export interface TraceEvent extends OpeningEvent {
  readonly audience: "hall" | "staff" | "party";
}

export interface TraceOptions {
  readonly bidders: number;
  /** Numbers that never unlock. */
  readonly locked?: readonly number[];
  readonly reads?: number;
}

export const FINGERPRINT = "ZC5J Z64H CSDT QLCK QL3I LLO5";
const CHECKPOINT =
  "hall.jiangzhou.example/kaibiao/log\n417\nyLqc+4cUhzgsSoL2ha3d7cm0LLtfOqIGhgi0jrbMkBY=\n\n— hall.jiangzhou.example/kaibiao/log caxLuE7qRx/2\n";

/** Every event of the opening, in the order of server time. Callers cut it where they like. */
export function openingTrace(options: TraceOptions): TraceEvent[] {
  const { bidders, locked = [], reads = bidders } = options;
  const events: TraceEvent[] = [];
  const add = (
    audience: TraceEvent["audience"],
    serverMs: number,
    type: string,
    body: object = {},
  ) => events.push({ audience, serverMs, type, body });
  const numbers = Array.from({ length: bidders }, (_, at) => at + 1);
  const unlocked = numbers.filter((no) => !locked.includes(no));

  add("hall", DEADLINE_MS - 86_400_000, "opening_scheduled", {
    manifest: encode(MANIFEST as unknown as Json),
  });
  add("hall", DEADLINE_MS - 3_600_000, "sign_in_opened");
  add("party", DEADLINE_MS - 2_280_000, "bidder_signed_in", {
    org: OWN_ORG,
    at_ms: DEADLINE_MS - 2_280_000,
  });
  add("hall", DEADLINE_MS + 400, "bidders_announced", {
    deadline_ms: DEADLINE_MS,
    count: bidders,
    list_root: unhex("ab".repeat(32)),
    bids: numbers.map((no) => ({
      no,
      lot: 1,
      org: orgOf(no),
      name: firmName(no),
      certified: no % 2 === 0,
      envelopes: [1, 2].map((envelope) => ({ envelope, bid_id: unhex(idHex(no, envelope)) })),
    })),
  });
  add("staff", DEADLINE_MS + 400, "signed_in_bidders", { orgs: numbers.slice(1).map(orgOf) });
  add("hall", DEADLINE_MS + 1400, "checkpoint_reached", {
    of: "closing",
    w: 0,
    session: 0,
    checkpoint: CHECKPOINT,
    fingerprint: FINGERPRINT,
  });
  add("hall", START_MS, "window_opened", {
    session: 1,
    w: 1,
    nonces: [1, 2].map((envelope) => ({ envelope, nonce: nonce(envelope, 1) })),
    start_ms: START_MS,
    end_ms: START_MS + WINDOW_MS,
    reason: "",
  });
  for (const no of unlocked) {
    const at = START_MS + 30_000 + no * 7_919;
    add("staff", at, "bid_unlocked", { no, envelopes: [1, 2], by: "key", received_ms: at });
    if (no === OWN_NO) {
      add("party", at, "own_bid_unlocked", {
        org: OWN_ORG,
        no,
        envelopes: [1, 2],
        by: "key",
        received_ms: at,
      });
    }
  }
  for (const no of locked) {
    const at = START_MS + 10 * MINUTE_MS;
    add("staff", at, "attempt_seen", { no, code: "unlock.key_mismatch", received_ms: at });
  }
  const ended = START_MS + WINDOW_MS;
  add("hall", ended + 20, "window_ended", {
    session: 1,
    w: 1,
    nonces: [nonce(1, 1), nonce(2, 1)],
    end_ms: ended,
    early: false,
    unlocked,
    locked,
  });
  add("hall", ended + 1020, "checkpoint_reached", {
    of: "window_end",
    w: 1,
    session: 1,
    checkpoint: CHECKPOINT,
    fingerprint: FINGERPRINT,
  });
  for (const [at, i] of [1, 2].entries()) {
    const one = MANIFEST.trustees[i - 1] as (typeof MANIFEST.trustees)[number];
    add("hall", ended + 38_000 + at * 33_000, "trustee_released", {
      i,
      role: one.role,
      name: one.name,
      received_ms: ended + 38_000 + at * 33_000,
      needed: 2,
      released: at + 1,
    });
  }
  const replied = ended + 73_000;
  add("hall", replied, "replies_ended", { by: "all_found", nonces: [] });
  add("hall", replied + 30_000, "all_opened", { by: "host" });
  const amounts = Object.fromEntries(unlocked.map((no) => [no, priceOf(no)]));
  add("hall", replied + 30_500, "set_frozen", {
    nonce: nonce(1, 1),
    frozen: encode({
      bids: numbers.map((no) => ({
        bid_id: idHex(no, 1),
        form_sha256: locked.includes(no) ? null : "cd".repeat(32),
        state: locked.includes(no) ? "locked" : "opened",
      })),
      nonce: "00".repeat(32),
    }),
  });
  add("hall", replied + 30_500, "prices_read_out", {
    nonce: nonce(1, 1),
    readout: encode({
      format: 1,
      nonce: "00".repeat(32),
      rows: unlocked.map((no) => ({
        bid_id: idHex(no, 1),
        bidder: { code: orgOf(no), name: firmName(no) },
        fields: { days: 400 + (no % 4) * 5, manager: "何川", price: priceOf(no) },
        format: 1,
        lot: 1,
        others: [],
      })),
      tender_id: "00".repeat(32),
    }),
    amounts,
  });
  for (const no of unlocked.slice(0, reads)) {
    add("hall", replied + 60_000 + no * 12_000, "row_read", { no });
  }
  add("hall", replied + 60_000 + bidders * 12_000 + 60_000, "opening_closed");
  return events;
}

export function priceOf(no: number): string {
  const yuan = 85_000_000 + ((no * 7_654_321) % 12_000_000);
  return `${yuan}.${String((no * 37) % 100).padStart(2, "0")}`;
}

/** Events up to and including the last one of `type`. */
export function until(events: readonly TraceEvent[], type: string): TraceEvent[] {
  const at = events.findLastIndex((event) => event.type === type);
  if (at < 0) throw new Error(`no ${type} in the trace`);
  return events.slice(0, at + 1);
}

export function of(
  events: readonly TraceEvent[],
  ...audiences: readonly TraceEvent["audience"][]
): TraceEvent[] {
  return events.filter((event) => audiences.includes(event.audience));
}

/** Events as lines: in order of time, in the words of the hall, with names. */
import { expect, it } from "vitest";
import { locale } from "../../src/i18n.ts";
import { meetingMoments } from "../../src/meeting/moments.ts";
import { currentMoment, openingMoments } from "../../src/pages/playback/moments.ts";
import { BEGAN_MS, MEETING_EVENTS } from "../meeting/a_meeting.ts";
import { of, openingTrace, START_MS } from "../traces.ts";

const trace = openingTrace({ bidders: 5, locked: [2] });
const moments = openingMoments("x", of(trace, "hall", "staff"), () => "林悦");
const said = (lines: readonly { readonly say: () => string }[]) => lines.map((one) => one.say());

it("is one line per event, in order, each at its moment", () => {
  const times = moments.map((one) => one.atMs);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  const unlocked = trace.filter((event) => event.type === "bid_unlocked");
  expect(said(moments).filter((line) => line.endsWith("已解密"))).toHaveLength(unlocked.length);
  const [first] = unlocked.map((event) => event.body as { no: number; received_ms: number });
  const line = moments.find((one) => new RegExp(`^${first?.no}\\s号.*已解密$`).test(one.say()));
  expect(line?.atMs).toBe(first?.received_ms);
});

it("speaks the language of the page", () => {
  locale.value = "en";
  expect(said(moments).some((line) => /^No\.\s\d+\s.+ unlocked$/.test(line))).toBe(true);
  locale.value = "zh-CN";
});

it("says to staff whose bid was tried, never that it is theirs", () => {
  const tried = { no: 2, code: "unlock.key_mismatch", envelope: 1, received_ms: START_MS + 1 };
  const events = [
    ...of(trace, "hall"),
    { type: "attempt_seen", serverMs: START_MS + 1, body: tried },
  ];
  const name = of(trace, "hall").flatMap(({ type, body }) =>
    type === "bidders_announced" ? (body as { bids: { no: number; name: string }[] }).bids : [],
  )[1]?.name;
  const line = said(openingMoments("x", events, () => "")).find((one) => one.includes("未成功"));
  expect(line?.replaceAll("\u00a0", " ")).toBe(`2 号 ${name} 解密未成功：钥匙不对`);
});

it("knows which has happened last", () => {
  expect(currentMoment(moments, null)).toBe(-1);
  expect(currentMoment(moments, 0)).toBe(-1);
  const at = currentMoment(moments, START_MS);
  expect(moments[at]?.atMs).toBeLessThanOrEqual(START_MS);
  expect(moments[at + 1]?.atMs).toBeGreaterThan(START_MS);
  expect(currentMoment(moments, Number.MAX_SAFE_INTEGER)).toBe(moments.length - 1);
});

it("goes on after an event that it cannot read", () => {
  const broken = { type: "set_frozen", serverMs: START_MS, body: null };
  const events = [...of(trace, "hall").slice(0, 3), broken, ...of(trace, "hall").slice(3)];
  expect(openingMoments("x", events, () => "").length).toBeGreaterThan(3);
});

it("names seats, venues and who calls in a meeting", () => {
  const act = (type: string, body: object) => ({ type, serverMs: BEGAN_MS + 1000, body });
  const lines = meetingMoments(
    [
      ...MEETING_EVENTS,
      act("muted", { person: "b1", label: "microphone" }),
      act("call_began", { call: "c", person: "s", to: { kind: "venue", id: "yunzhou" } }),
      act("call_ended", { call: "c", person: "s" }),
      act("segment_sealed", { track: "t" }),
    ],
    () => "",
  );
  expect(said(lines).map((line) => line.replaceAll("\u00a0", " "))).toEqual([
    "评标会已安排：场地与席位确定",
    "评标会开始",
    "开始录像",
    "主持人关闭了 B-03 秦朗 的话筒",
    "监督人 周岩 呼叫：云州副场 1 号评标室",
    "监督人结束呼叫",
  ]);
});

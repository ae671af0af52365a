/**
 * How good a connection is, in a word (质量): from two looks at a connection's own figures.
 *
 * Invariant: pure. The word is about what somebody sees and hears, not about a figure; with no
 * packets there is no word but "none".
 */

export type Quality = "good" | "fair" | "poor" | "none";

/** Counters at one moment; everything since the connection began. */
export interface Look {
  readonly atMs: number;
  readonly bytes: number;
  readonly packets: number;
  readonly lost: number;
  readonly rttMs: number | null;
  readonly height: number;
  readonly frames: number;
  readonly stillMs: number;
  /** By way of a relay (TURN). */
  readonly isRelayed: boolean;
  /** What the browser lacks to send more: "" or cpu, bandwidth. */
  readonly lacks: string;
}

type Row = Readonly<Record<string, unknown>>;

const number = (row: Row, name: string): number =>
  typeof row[name] === "number" ? (row[name] as number) : 0;

/** Adds up what `getStats` says. `way`: whose figures count. */
export function lookAt(rows: Iterable<Row>, way: "publish" | "watch", atMs: number): Look {
  const look = { bytes: 0, packets: 0, lost: 0, height: 0, frames: 0, stillMs: 0 };
  let rttMs: number | null = null;
  let isRelayed = false;
  let lacks = "";
  const all = [...rows];
  for (const row of all) {
    if (row["type"] === "transport") look.bytes += number(row, "bytesReceived");
    if (row["type"] === "candidate-pair" && row["nominated"] === true) {
      if (typeof row["currentRoundTripTime"] === "number") {
        rttMs = Math.round((row["currentRoundTripTime"] as number) * 1000);
      }
      const local = all.find((one) => one["id"] === row["localCandidateId"]);
      isRelayed = local?.["candidateType"] === "relay";
    }
    if (way === "watch" && row["type"] === "inbound-rtp") {
      look.packets += number(row, "packetsReceived");
      look.lost += Math.max(0, number(row, "packetsLost"));
      look.frames += number(row, "framesDecoded");
      look.height = Math.max(look.height, number(row, "frameHeight"));
      look.stillMs += number(row, "totalFreezesDuration") * 1000;
    }
    if (way === "publish" && row["type"] === "outbound-rtp") {
      look.packets += number(row, "packetsSent");
      look.frames += number(row, "framesEncoded");
      look.height = Math.max(look.height, number(row, "frameHeight"));
      const reason = row["qualityLimitationReason"];
      if (reason === "cpu" || reason === "bandwidth") lacks = reason;
    }
    if (way === "publish" && row["type"] === "remote-inbound-rtp") {
      look.lost += Math.max(0, number(row, "packetsLost"));
    }
  }
  return { ...look, rttMs, isRelayed, lacks, atMs };
}

/** Of a hundred packets, above which one hears or sees it. */
const LOSS_FAIR = 0.03;
const LOSS_POOR = 0.1;
const RTT_FAIR_MS = 250;
const RTT_POOR_MS = 600;
const STILL_POOR = 0.15;

/** The word for what lies between two looks. */
export function qualityOf(before: Look | null, now: Look): Quality {
  const packets = now.packets - (before?.packets ?? 0);
  if (packets <= 0) return "none";
  const lost = Math.max(0, now.lost - (before?.lost ?? 0));
  const loss = lost / (packets + lost);
  const still =
    (now.stillMs - (before?.stillMs ?? 0)) / Math.max(1, now.atMs - (before?.atMs ?? 0));
  const rtt = now.rttMs ?? 0;
  if (loss > LOSS_POOR || rtt > RTT_POOR_MS || still > STILL_POOR) return "poor";
  if (loss > LOSS_FAIR || rtt > RTT_FAIR_MS || now.lacks === "bandwidth") return "fair";
  return "good";
}

/** Before anything is sent: by the connection's own checks alone. */
export function expectedOf(rttMs: number | null): Quality {
  if (rttMs === null) return "none";
  return rttMs > RTT_POOR_MS ? "poor" : rttMs > RTT_FAIR_MS ? "fair" : "good";
}

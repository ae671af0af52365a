/** Messages of the fragment stream, and where a player stands in them. */
import { describe, expect, it } from "vitest";
import { FragmentReader, follow } from "../../src/live/fragment_reader.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

function message(...parts: readonly (number | Uint8Array)[]): ArrayBuffer {
  return new Uint8Array(parts.flatMap((one) => (typeof one === "number" ? [one] : [...one])))
    .buffer;
}

const layout = (...streams: string[]) =>
  message(0, utf8(JSON.stringify({ generation: 1, streams })));

const init = (stream: number, mime: string, bytes: number[]) =>
  message(1, stream, 0, mime.length, utf8(mime), new Uint8Array(bytes));

function fragment(stream: number, serial: number, utcMs: bigint, timeUs: bigint): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(25));
  view.setUint8(0, 2);
  view.setUint8(1, stream);
  view.setUint32(4, serial);
  view.setBigUint64(8, utcMs);
  view.setBigUint64(16, timeUs);
  view.setUint8(24, 7);
  return view.buffer;
}

function begun(): FragmentReader {
  const reader = new FragmentReader();
  reader.read(layout("video"));
  reader.read(init(0, "v", [1]));
  return reader;
}

describe("the fragment stream", () => {
  it("begins when every stream has its first bytes, and hands on what came too early", () => {
    const reader = new FragmentReader();
    expect(reader.read(layout("video", "audio"))).toEqual([]);
    expect(reader.read(init(0, "video/mp4", [1, 2]))).toEqual([]);
    expect(reader.read(fragment(0, 0, 1000n, 0n))).toEqual([]);
    const pieces = reader.read(init(1, "audio/mp4", [3]));
    expect(pieces.map((one) => one.kind)).toEqual(["begin", "media"]);
    const [first] = pieces;
    expect(first?.kind === "begin" && first.streams.map((one) => one.mime)).toEqual([
      "video/mp4",
      "audio/mp4",
    ]);
  });

  it("tells the server's clock at media time 0", () => {
    const reader = begun();
    reader.read(fragment(0, 0, 1_795_000_002_500n, 2_500_000n));
    expect(reader.zeroMs).toBe(1_795_000_000_000);
  });

  it("counts what the server left out, and not across a new beginning", () => {
    const reader = begun();
    for (const serial of [4, 5, 9]) reader.read(fragment(0, serial, 0n, 0n));
    expect(reader.skipped).toBe(1);
    reader.read(layout("video"));
    reader.read(fragment(0, 40, 0n, 0n));
    expect(reader.skipped).toBe(1);
    reader.read(fragment(0, 0xffffffff, 0n, 0n));
    reader.read(fragment(0, 0, 0n, 0n));
    expect(reader.skipped).toBe(2);
  });

  it("changes the format in place, once it has begun", () => {
    expect(begun().read(init(0, "w", [2]))[0]).toMatchObject({ kind: "format", mime: "w" });
  });

  it("passes by what a later server may send, and throws at what is cut", () => {
    expect(begun().read(message(9, 1, 2))).toEqual([]);
    expect(() => begun().read(message(2, 0, 0))).toThrow(RangeError);
    expect(() => begun().read(message())).toThrow(RangeError);
  });
});

describe("a player", () => {
  it("goes to the live edge when it begins, falls far behind, or runs ahead", () => {
    expect(follow([[10, 20]], 0).seekS).toBeCloseTo(19.6);
    expect(follow([[10, 20]], 17.9).seekS).toBeCloseTo(19.6);
    expect(follow([[10, 20]], 25).seekS).toBeCloseTo(19.6);
    expect(follow([[10, 10.1]], 0).seekS).toBe(10);
  });

  it("hurries a little when it is a little behind", () => {
    expect(follow([[10, 20]], 19.7)).toMatchObject({ seekS: null, rate: 1 });
    expect(follow([[10, 20]], 19)).toMatchObject({ seekS: null, rate: 1.1 });
  });

  it("throws away what was seen, and nothing before there is enough", () => {
    expect(follow([[0, 20]], 19.7).trimS).toBeNull();
    expect(follow([[0, 30]], 29.7).trimS).toBe(18);
    expect(follow([], 5)).toEqual({ seekS: null, rate: 1, trimS: null });
  });
});

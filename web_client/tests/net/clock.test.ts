/** The server's time on a device: best round trip, no jumps, sleep. */
import { describe, expect, it } from "vitest";
import { ServerClock } from "../../src/net/clock.ts";

/** A device whose two clocks the test turns by hand. */
class Device {
  monotonicMs = 1000;
  wallMs = 50_000_000;
  readonly clock = new ServerClock({
    monotonic: () => this.monotonicMs,
    wall: () => this.wallMs,
  });

  pass(ms: number): void {
    this.monotonicMs += ms;
    this.wallMs += ms;
  }

  /** A ping that takes `up` and `down` ms, to a server that is `ahead` of our monotonic clock. */
  ping(up: number, down: number, ahead: number): void {
    const t0 = this.monotonicMs;
    const serverMs = t0 + up + ahead;
    this.pass(up + down);
    this.clock.sample(t0, this.monotonicMs, serverMs);
  }
}

describe("the server's clock", () => {
  it("is the device's own before the first sample", () => {
    const device = new Device();
    expect(device.clock.now()).toBe(device.wallMs);
    expect(device.clock.errorMs).toBeNull();
  });

  it("is off by at most half the best round trip", () => {
    const device = new Device();
    for (const [up, down] of [
      [90, 300],
      [10, 12],
      [200, 5],
    ] as const) {
      device.ping(up, down, 7_000_000);
      device.pass(20_000);
    }
    const truth = device.monotonicMs + 7_000_000;
    expect(Math.abs(device.clock.now() - truth)).toBeLessThanOrEqual(11);
    expect(device.clock.errorMs).toBe(11);
  });

  it("slews small corrections and never runs backwards", () => {
    const device = new Device();
    device.ping(0, 400, 1_000_000); // the first guess is 200 ms off
    const before = device.clock.now();
    device.ping(1, 1, 1_000_000);
    expect(device.clock.now()).toBeGreaterThanOrEqual(before);
    device.pass(1000);
    const error = Math.abs(device.clock.now() - (device.monotonicMs + 1_000_000));
    expect(error).toBeGreaterThan(100);
    device.pass(10_000);
    expect(Math.abs(device.clock.now() - (device.monotonicMs + 1_000_000))).toBeLessThan(2);
  });

  it("steps when it is off by more than half a second", () => {
    const device = new Device();
    device.clock.hint(3_000_000);
    device.ping(5, 5, 9_000_000);
    expect(Math.abs(device.clock.now() - (device.monotonicMs + 9_000_000))).toBeLessThan(1);
  });

  it("says how slow the device's own clock is", () => {
    const device = new Device();
    device.ping(5, 5, device.wallMs - device.monotonicMs + 180_000);
    expect(Math.round(device.clock.deviceAheadMs / 1000)).toBe(-180);
  });

  it("does not lose the minutes that the device slept", () => {
    const device = new Device();
    device.ping(5, 5, 7_000_000);
    const before = device.clock.now();
    device.wallMs += 600_000; // the monotonic clock stood still
    expect(device.clock.slept()).toBe(true);
    expect(device.clock.now() - before).toBe(600_000);
    expect(device.clock.isSynchronised).toBe(false);
    expect(device.clock.slept()).toBe(false);
  });

  it("does not follow somebody who sets the device's clock back", () => {
    const device = new Device();
    device.ping(5, 5, 7_000_000);
    const before = device.clock.now();
    device.wallMs -= 3_600_000;
    device.clock.slept();
    expect(device.clock.now() - before).toBeLessThan(1);
  });
});

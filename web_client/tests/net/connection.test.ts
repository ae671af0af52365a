/** The connection: resume, gaps, epochs, requests that outlive a cut, and the way round a block. */
import { encode } from "@msgpack/msgpack";
import { describe, expect, it } from "vitest";
import { Refused } from "../../src/net/commands.ts";
import { readFrame } from "../../src/net/frames.ts";
import { codeOf, ev, polled, ROOM, range, World } from "./world.ts";

describe("the first connection", () => {
  it("says hello with a fresh ticket and where it stands", async () => {
    const world = new World();
    await world.live(3);
    expect(world.socket.sent[0]).toEqual(["hello", 1, "ticket-1", [[ROOM, "hall", 0, 0]]]);
    expect(world.seqs).toEqual([1, 2, 3]);
    expect(world.links).toEqual(["live"]);
  });

  it("asks for a room that a page opens between hello and welcome", async () => {
    const world = new World();
    world.connection.start();
    await world.settle();
    world.socket.events.opened();
    world.connection.follow(ROOM, "staff");
    world.socket.say("welcome", "session", 5_000_000, 20, {}, {});
    const asked = world.socket.sent.filter((frame) => frame[0] !== "ping");
    expect(asked).toEqual([
      ["hello", 1, "ticket-1", [[ROOM, "hall", 0, 0]]],
      ["sub", [[ROOM, "staff", 0, 0]]],
    ]);
  });

  it("asks again for a room that is not known yet, while somebody follows it", async () => {
    const world = new World();
    await world.live(0);
    const unknown = () =>
      world.socket.say("err", 0, "", "room.unknown", false, { room: ROOM, audience: "hall" });
    unknown();
    expect(world.socket.of("sub").length).toBe(0);
    await world.pass(1_000);
    expect(world.socket.of("sub")).toEqual([["sub", [[ROOM, "hall", 0, 0]]]]);
    unknown();
    await world.pass(2_000);
    expect(world.socket.of("sub").length).toBe(2);
    world.socket.say("batch", [ev(1)]);
    expect(world.seqs).toEqual([1]);
    unknown();
    world.connection.leave(ROOM, "hall");
    await world.pass(15_000);
    expect(world.socket.of("sub").length).toBe(2);
  });

  it("says that there is no such room after asking three times, and when there is one", async () => {
    const world = new World();
    await world.live(0);
    for (const pauseMs of [1_000, 2_000, 4_000]) {
      expect(world.absent).toEqual([]);
      world.socket.say("err", 0, "", "room.unknown", false, { room: ROOM, audience: "hall" });
      await world.pass(pauseMs);
    }
    expect(world.absent).toEqual([[ROOM, true]]);
    world.socket.say("err", 0, "", "room.unknown", false, { room: ROOM, audience: "hall" });
    await world.pass(15_000);
    world.socket.say("batch", [ev(1)]);
    expect(world.absent).toEqual([
      [ROOM, true],
      [ROOM, false],
    ]);
  });

  it("gives up on a socket that is never welcomed", async () => {
    const world = new World();
    world.connection.start();
    await world.settle();
    world.socket.events.opened();
    await world.pass(9_000);
    expect(world.sockets.length).toBeGreaterThan(1);
    expect(world.sockets[0]?.isClosed).toBe(true);
  });

  it("takes samples of the server's clock at once", async () => {
    const world = new World();
    await world.live(0);
    await world.pass(1_000);
    expect(world.socket.of("ping").length).toBe(5);
  });
});

describe("after a cut", () => {
  it("resumes from its position and shows nothing twice", async () => {
    const world = new World();
    await world.live(3);
    world.socket.events.closed(1006);
    await world.pass(600);
    world.socket.welcome();
    expect(world.socket.sent[0]).toEqual(["hello", 1, "ticket-2", [[ROOM, "hall", 1, 3]]]);
    world.socket.say("batch", [ev(3), ev(4), ev(5)]);
    expect(world.seqs).toEqual([1, 2, 3, 4, 5]);
  });

  it("notices a line that is silent although it looks open", async () => {
    const world = new World();
    await world.live(1);
    await world.pass(26_000);
    expect(world.sockets[0]?.isClosed).toBe(true);
    expect(world.sockets.length).toBe(2);
  });

  it("comes back when a server that says goodbye asked for it", async () => {
    const world = new World();
    await world.live(1);
    world.socket.say("bye", 1012, "restart", 4000);
    world.socket.events.closed(1012);
    await world.pass(3_900);
    expect(world.sockets.length).toBe(1);
    await world.pass(200);
    expect(world.sockets.length).toBe(2);
  });

  it("tries at once when the page wakes up", async () => {
    const world = new World();
    await world.live(1);
    for (let k = 0; k < 4; k++) {
      world.socket.events.closed(1006);
      await world.pass(k === 3 ? 0 : 16_000);
    }
    const before = world.sockets.length;
    world.connection.wake();
    await world.settle();
    expect(world.sockets.length).toBe(before + 1);
  });
});

describe("a viewer", () => {
  it("is told apart, and each failure is counted until a welcome", async () => {
    const world = new World();
    world.isViewer = true;
    await world.live(1);
    expect(world.socket.sent[0]).toEqual(["hello", 1, null, [[ROOM, "hall", 0, 0]]]);
    world.socket.events.closed(1006);
    await world.pass(600);
    world.socket.events.closed(1006);
    await world.pass(1_000);
    world.socket.welcome();
    world.socket.events.closed(1012);
    await world.pass(600);
    expect(world.tries).toEqual([
      [true, 0],
      [true, 1],
      [true, 2],
      [true, 1],
    ]);
  });

  it("asks by POST what an edge does not take", async () => {
    const world = new World();
    world.isViewer = true;
    world.post = () => Promise.resolve({ done: true });
    await world.live(1);
    const answer = world.connection.command(ROOM, "card_unlock", {});
    await world.settle();
    const [, n, id] = world.socket.of("cmd")[0] as [string, number, string];
    world.socket.say("err", n, id, "edge.viewers_only", false, {});
    expect(await answer).toEqual({ done: true });
    expect(world.posts).toEqual([{ id, op: "card_unlock" }]);
  });
});

describe("gaps and epochs", () => {
  it("asks once for what is missing and applies it in order", async () => {
    const world = new World();
    await world.live(2);
    world.socket.say(...ev(5));
    world.socket.say(...ev(6));
    expect(world.socket.of("sub")).toEqual([["sub", [[ROOM, "hall", 1, 2]]]]);
    world.socket.say(
      "batch",
      range(3, 6).map((seq) => ev(seq)),
    );
    expect(world.seqs).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("starts the room anew when the server says that the epoch has changed", async () => {
    const world = new World();
    await world.live(4);
    world.socket.say("err", 0, "", "channel.epoch_changed", false, {
      room: ROOM,
      audience: "hall",
      epoch: 2,
    });
    world.socket.say("batch", [ev(1, 2), ev(2, 2)]);
    expect(world.restarts).toBe(1);
    expect(world.seqs).toEqual([1, 2]);
  });

  it("starts the room anew on an event of another epoch, even unannounced", async () => {
    const world = new World();
    await world.live(4);
    world.socket.say(...ev(5, 2));
    expect(world.restarts).toBe(1);
    expect(world.socket.of("sub")).toEqual([["sub", [[ROOM, "hall", 0, 0]]]]);
  });

  it("does not restart twice when two channels of a room tell of the same new epoch", async () => {
    const world = new World();
    world.connection.follow(ROOM, "staff");
    await world.live(2);
    world.socket.say("batch", [ev(1, 1, "staff")]);
    const told = (audience: string) =>
      world.socket.say("err", 0, "", "channel.epoch_changed", false, {
        room: ROOM,
        audience,
        epoch: 2,
      });
    told("hall");
    world.socket.say("batch", [ev(1, 2), ev(2, 2)]);
    told("staff");
    world.socket.say("batch", [ev(1, 2, "staff")]);
    expect(world.restarts).toBe(1);
    expect(world.seen.map((event) => event.audience)).toEqual(["hall", "hall", "staff"]);
  });

  it("hangs up on frames that are none", async () => {
    const world = new World();
    await world.live(1);
    world.socket.events.message(new Uint8Array([0xc1]));
    await world.pass(0);
    expect(world.sockets[0]?.isClosed).toBe(true);
  });
});

describe("a request", () => {
  it("is answered", async () => {
    const world = new World();
    await world.live(0);
    const asked = world.connection.command(ROOM, "sign_in");
    expect(world.socket.of("cmd")).toEqual([["cmd", 1, "command-1", ROOM, "sign_in", {}]]);
    world.socket.say("ok", 1, "command-1", { seq: 9 });
    await expect(asked).resolves.toEqual({ seq: 9 });
  });

  it("is refused with the server's code", async () => {
    const world = new World();
    await world.live(0);
    const asked = world.connection.command(ROOM, "unlock").catch(codeOf);
    world.socket.say("err", 1, "command-1", "unlock.key_mismatch", false, {});
    await expect(asked).resolves.toBe("unlock.key_mismatch");
  });

  it("survives a cut under the same id", async () => {
    const world = new World();
    await world.live(0);
    const asked = world.connection.command(ROOM, "unlock", { messages: [] });
    world.socket.events.closed(1006);
    await world.pass(600);
    world.socket.welcome();
    expect(world.socket.of("cmd").map((frame) => frame[2])).toEqual(["command-1"]);
    world.socket.say("ok", 1, "command-1", "stored answer");
    await expect(asked).resolves.toBe("stored answer");
  });

  it("waits for the first connection when it was made before it", async () => {
    const world = new World();
    const asked = world.connection.command(ROOM, "sign_in");
    await world.live(0);
    expect(world.socket.of("cmd")).toHaveLength(1);
    world.socket.say("ok", 1, "command-1", null);
    await expect(asked).resolves.toBeNull();
  });

  it("goes the other way too when the line is silent, and is answered once", async () => {
    const world = new World();
    world.post = () => Promise.resolve("by post");
    await world.live(0);
    const asked = world.connection.command(ROOM, "unlock");
    await world.pass(3_900);
    expect(world.posts).toEqual([]);
    await world.pass(200);
    expect(world.posts).toEqual([{ id: "command-1", op: "unlock" }]);
    await expect(asked).resolves.toBe("by post");
    world.socket.say("ok", 1, "command-1", "late");
    await world.settle();
  });

  it("is asked again when the room is busy, without troubling anybody", async () => {
    const world = new World();
    await world.live(0);
    const asked = world.connection.command(ROOM, "sign_in");
    world.socket.say("err", 1, "command-1", "room.busy", true, {});
    await world.pass(400);
    expect(world.socket.of("cmd")).toHaveLength(2);
    world.socket.say("ok", 1, "command-1", "now");
    await expect(asked).resolves.toBe("now");
  });

  it("is refused at last when the room stays busy", async () => {
    const world = new World();
    await world.live(0);
    const asked = world.connection.command(ROOM, "sign_in").catch(codeOf);
    for (let tries = 0; tries < 6; tries++) {
      world.socket.say("err", 1, "command-1", "room.busy", true, {});
      await world.pass(3_000);
    }
    await expect(asked).resolves.toBe("room.busy");
  });
});

describe("where WebSocket is blocked", () => {
  function blocked(): World {
    const world = new World();
    world.isBlocked = true;
    world.connection.start();
    return world;
  }

  it("polls after two failures, and says that it does", async () => {
    const world = blocked();
    world.poll = (position) => Promise.resolve(polled(position.seq + 1, 3));
    await world.pass(2_000);
    expect(world.seqs).toEqual([1, 2, 3]);
    expect(world.links.at(-1)).toBe("polling");
    world.connection.close();
  });

  it("says that there is no such room, and when there is one", async () => {
    const world = blocked();
    let answers = 0;
    world.poll = (position) => {
      answers += 1;
      if (answers < 6) return Promise.reject(new Refused("room.unknown"));
      // Then one event, and a long poll that hears nothing more.
      return answers > 6 ? new Promise(() => {}) : Promise.resolve(polled(position.seq + 1, 1));
    };
    await world.pass(60_000);
    const { absent, seqs } = world;
    world.connection.close();
    expect(absent).toEqual([
      [ROOM, true],
      [ROOM, false],
    ]);
    expect(seqs).toEqual([1]);
  });

  it("sends requests by POST under their id", async () => {
    const world = blocked();
    let turns = 0;
    world.poll = (position) =>
      ++turns > 3 ? new Promise(() => {}) : Promise.resolve(polled(position.seq + 1, 0));
    world.post = () => Promise.resolve("posted");
    await world.pass(2_000);
    await expect(world.connection.command(ROOM, "unlock")).resolves.toBe("posted");
    world.connection.close();
  });

  it("passes a refusal on from there", async () => {
    const world = blocked();
    world.poll = () => new Promise(() => {});
    world.post = () => Promise.reject(new Refused("unlock.window_closed"));
    await world.pass(2_000);
    const code = await world.connection.command(ROOM, "unlock").catch(codeOf);
    expect(code).toBe("unlock.window_closed");
    world.connection.close();
  });

  it("keeps trying the socket, goes back by itself, and shows nothing twice", async () => {
    const world = blocked();
    let answers = 0;
    world.poll = (position) =>
      ++answers > 2 ? new Promise(() => {}) : Promise.resolve(polled(position.seq + 1, 3));
    await world.pass(2_000);
    world.isBlocked = false;
    await world.pass(16_000);
    world.socket.welcome();
    expect(world.socket.sent[0]?.[3]).toEqual([[ROOM, "hall", 1, 3]]);
    world.socket.say("batch", [ev(3), ev(4)]);
    expect(world.seqs).toEqual([1, 2, 3, 4]);
    expect(world.links.at(-1)).toBe("live");
  });

  it("says that the line is lost when neither way works", async () => {
    const world = blocked();
    await world.pass(5_000);
    expect(world.links).toEqual(["lost"]);
    world.connection.close();
  });
});

describe("frames", () => {
  it("of other shapes are refused", () => {
    for (const frame of [
      [],
      {},
      "ev",
      ["ok", "1", "id", null],
      ["ev", ROOM, "hall", 1, "1", 2, "t", {}, new Uint8Array()],
      ["batch", [["ev", 1]]],
      ["bye"],
    ]) {
      expect(readFrame(encode(frame))).toBeNull();
    }
  });

  it("of kinds that a newer server may send are skipped", () => {
    expect(readFrame(encode(["snap", 1, 2]))).toEqual({ kind: "unknown", name: "snap" });
  });

  it("may carry a body as the stored bytes", () => {
    const frame = [...ev(1)];
    frame[7] = encode({ no: 31 });
    const read = readFrame(encode(frame));
    expect(read).toMatchObject({ kind: "events", events: [{ body: { no: 31 } }] });
  });
});

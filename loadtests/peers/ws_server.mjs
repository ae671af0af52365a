// Node's `ws` (同行), as its documentation broadcasts. Orders are JSON lines on stdin.
import { createInterface } from "node:readline";
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
const pause = (ms) => new Promise((done) => setTimeout(done, Math.max(0, ms)));

const orders = {
  listen: async () => server.address().port,
  accept: async ({ count }) => {
    while (server.clients.size < count) await pause(20);
    return null;
  },
  fan: async ({ payloads, every_ms }) => {
    const frames = payloads.map((hex) => Buffer.from(hex, "hex"));
    const begun = [];
    const started = performance.now();
    for (const [number, frame] of frames.entries()) {
      await pause(started + number * every_ms - performance.now());
      begun.push(Number(process.hrtime.bigint()));
      for (const client of server.clients) client.send(frame);
    }
    return begun;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [order, args] = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await orders[order](args))}\n`);
}
process.exit(0);

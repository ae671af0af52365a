/** Asks the device worker one thing, and ends it with the answer. */
import { Refused } from "../net/commands.ts";
import type { DeviceAnswer, DeviceRequest } from "./protocol.ts";

export function askDevice(request: DeviceRequest): Promise<DeviceAnswer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./device_worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<DeviceAnswer>) => {
      worker.terminate();
      if (data.kind === "failed") reject(new Refused(data.code));
      else resolve(data);
    };
    worker.onerror = (event) => {
      worker.terminate();
      reject(new Error(event.message || "the device worker could not start"));
    };
    worker.postMessage(request);
  });
}

/**
 * Camera, microphone, screen and loudspeaker of this device (设备).
 *
 * Invariant: a device is asked for only from a press of somebody who was told what follows; what is
 * taken here belongs to the caller, who stops it. A refusal is a `DeviceFault` with a stable kind.
 */

export type FaultKind = "refused" | "missing" | "busy" | "insecure" | "other";

export class DeviceFault extends Error {
  readonly kind: FaultKind;

  constructor(kind: FaultKind, cause?: unknown) {
    super(kind, { cause });
    this.name = "DeviceFault";
    this.kind = kind;
  }
}

const FAULTS: Readonly<Record<string, FaultKind>> = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

function faultOf(error: unknown): DeviceFault {
  if (error instanceof DeviceFault) return error;
  const name = error instanceof DOMException ? error.name : "";
  return new DeviceFault(FAULTS[name] ?? "other", error);
}

/** Browsers hide the devices from pages that did not come over HTTPS (or from this machine). */
function devices(): MediaDevices {
  const found = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
  if (found === undefined) throw new DeviceFault("insecure");
  return found;
}

async function one(constraints: MediaStreamConstraints): Promise<MediaStreamTrack> {
  try {
    const stream = await devices().getUserMedia(constraints);
    const track = stream.getTracks()[0];
    if (track === undefined) throw new DeviceFault("missing");
    return track;
  } catch (error) {
    throw faultOf(error);
  }
}

export function takeCamera(deviceId = ""): Promise<MediaStreamTrack> {
  const size = {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 25, max: 30 },
  };
  return one({ video: deviceId === "" ? size : { ...size, deviceId: { exact: deviceId } } });
}

export function takeMicrophone(deviceId = ""): Promise<MediaStreamTrack> {
  const clean = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  return one({ audio: deviceId === "" ? clean : { ...clean, deviceId: { exact: deviceId } } });
}

/** The screen, with its sound where the browser offers that. */
export async function takeScreen(): Promise<{
  picture: MediaStreamTrack;
  sound: MediaStreamTrack | null;
}> {
  try {
    const stream = await devices().getDisplayMedia({
      video: { frameRate: { ideal: 10, max: 15 } },
      audio: true,
    });
    const picture = stream.getVideoTracks()[0];
    if (picture === undefined) throw new DeviceFault("missing");
    picture.contentHint = "detail"; // letters, not motion
    return { picture, sound: stream.getAudioTracks()[0] ?? null };
  } catch (error) {
    throw faultOf(error);
  }
}

export interface Device {
  readonly id: string;
  readonly name: string;
}

/** Names are known only after one of the kind was allowed. */
export async function listDevices(kind: MediaDeviceKind): Promise<readonly Device[]> {
  try {
    const found = await devices().enumerateDevices();
    return found
      .filter((device) => device.kind === kind && device.deviceId !== "")
      .map((device) => ({ id: device.deviceId, name: device.label }));
  } catch {
    return [];
  }
}

/** Follows how loud a microphone is, 0 to 1, some times a second; what is returned ends it. */
export function followLevel(media: MediaStreamTrack, heard: (level: number) => void): () => void {
  const context = new AudioContext();
  void context.resume();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(new MediaStream([media])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    heard(levelOf(samples));
  }, 100);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}

const QUIET_DB = -60;
const LOUD_DB = -10;

/** Root mean square of samples, in decibels, laid on 0 to 1 as an ear would. */
export function levelOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const db = 10 * Math.log10(sum / samples.length + 1e-12);
  return Math.min(1, Math.max(0, (db - QUIET_DB) / (LOUD_DB - QUIET_DB)));
}

/** Two notes, to hear whether the loudspeaker is on. */
export function testSound(): void {
  const context = new AudioContext();
  const now = context.currentTime;
  for (const [frequency, start] of [
    [523, 0],
    [659, 0.35],
  ] as const) {
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.frequency.value = frequency;
    gain.gain.setValueAtTime(0, now + start);
    gain.gain.linearRampToValueAtTime(0.25, now + start + 0.03);
    gain.gain.linearRampToValueAtTime(0, now + start + 0.3);
    tone.connect(gain).connect(context.destination);
    tone.start(now + start);
    tone.stop(now + start + 0.32);
  }
  setTimeout(() => void context.close(), 1500);
}

/**
 * What this page sends (发布): camera, microphone, screen on one connection, again by itself.
 *
 * Invariant: a source that is muted here sends nothing of itself from that instant, whatever the
 * server says later; a connection that begins anew carries the same sources with the same mutes.
 * Nothing is asked of a device here: `devices.ts` does that, after somebody has consented.
 */
import { computed, type Signal, signal } from "@preact/signals";
import { Keeper } from "./keeper.ts";
import type { Routes, To } from "./routes.ts";
import type { Label } from "./told.ts";

export interface Source {
  readonly label: Label;
  readonly media: MediaStreamTrack;
  readonly muted: boolean;
  /** Its number in the room; null until the server has it. */
  readonly track: number | null;
}

type Sources = Readonly<Partial<Record<Label, Source>>>;

/** Two layers (simulcast): a quarter of the height, and whole. */
const CAMERA_LAYERS: readonly RTCRtpEncodingParameters[] = [
  { rid: "l", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "h", maxBitrate: 1_800_000 },
];
const SCREEN_LAYERS: readonly RTCRtpEncodingParameters[] = [{ maxBitrate: 2_500_000 }];

export class Publishing {
  readonly sources: Signal<Sources> = signal<Sources>({});
  readonly keeper: Keeper;
  /** True while there is something of ours in the room, or being brought there. */
  readonly isOn = computed(() => Object.keys(this.sources.value).length > 0);
  private readonly routes: Routes;
  private readonly servers: () => RTCIceServer[];
  private senders = new Map<Label, RTCRtpTransceiver>();
  private isPrepared = false;
  private to: To | null = null;
  private turn: Promise<void> = Promise.resolve();

  constructor(routes: Routes, servers: () => RTCIceServer[]) {
    this.routes = routes;
    this.servers = servers;
    this.keeper = new Keeper({
      way: "publish",
      negotiate: (connection) => this.negotiate(connection),
      expects: () => Object.values(this.sources.value).some((one) => !one.muted),
      servers: () => this.servers(),
      closed: () => {
        this.senders.clear();
        this.change((one) => ({ ...one, track: null }));
      },
    });
  }

  /** Opens the connection before there is anything to send: a check that finds the real way. */
  prepare(): void {
    this.isPrepared = true;
    this.keeper.want();
  }

  /** Sends this from now on, in place of what had its label. It is ours to stop from here. */
  add(media: MediaStreamTrack, label: Label, muted = false): void {
    const before = this.sources.value[label];
    if (before && before.media !== media) before.media.stop();
    media.enabled = !muted;
    media.addEventListener("ended", () => {
      // The browser's own "stop sharing", or a camera that was pulled out.
      if (this.sources.value[label]?.media === media) this.remove(label);
    });
    const source = { label, media, muted, track: before?.track ?? null };
    this.sources.value = { ...this.sources.value, [label]: source };
    this.isPrepared = false;
    this.renew();
  }

  remove(label: Label): void {
    const { [label]: gone, ...left } = this.sources.value;
    gone?.media.stop();
    this.sources.value = left;
    this.renew();
  }

  setMuted(label: Label, muted: boolean): void {
    const source = this.sources.value[label];
    if (source === undefined || source.muted === muted) return;
    source.media.enabled = !muted;
    this.sources.value = { ...this.sources.value, [label]: { ...source, muted } };
    if (source.track !== null) void this.routes.own(source.track, muted).catch(() => {});
  }

  /** Whom alone what we send is for (a supervisor's call); null: the room. */
  setTo(to: To | null): void {
    if (JSON.stringify(to) === JSON.stringify(this.to)) return;
    this.to = to;
    if (this.isOn.value) this.renew();
  }

  /** Network, device or page is back: also a page that the browser had put aside. */
  wake(): void {
    if (this.isOn.value) this.keeper.want();
    this.keeper.wake();
  }

  /** Everything ends: devices are let go, the connection is closed. */
  stop(): void {
    for (const source of Object.values(this.sources.value)) source.media.stop();
    this.sources.value = {};
    this.isPrepared = false;
    this.keeper.unwant();
  }

  private change(what: (source: Source) => Source): void {
    const changed = Object.entries(this.sources.value).map(([label, one]) => [label, what(one)]);
    this.sources.value = Object.fromEntries(changed);
  }

  /** The set of sources has changed: tells the server, on the living connection if there is one. */
  private renew(): void {
    if (!this.isOn.value && !this.isPrepared) {
      this.keeper.unwant();
      return;
    }
    const { connection } = this.keeper;
    if (connection === null) {
      this.keeper.want();
      return;
    }
    this.negotiate(connection).catch((error: unknown) => {
      if (this.keeper.connection === connection) this.keeper.trouble(error);
    });
  }

  /** One offer at a time. */
  private negotiate(connection: RTCPeerConnection): Promise<void> {
    const next = this.turn.then(() => this.offer(connection));
    this.turn = next.catch(() => {});
    return next;
  }

  private async offer(connection: RTCPeerConnection): Promise<void> {
    if (this.keeper.connection !== connection) return;
    await this.arrange(connection);
    await connection.setLocalDescription();
    const labels: Record<string, Label> = {};
    for (const [label, one] of this.senders) if (one.mid !== null) labels[one.mid] = label;
    const offer = connection.localDescription?.sdp ?? "";
    const { answer, tracks } = await this.routes.publish(offer, labels, this.to);
    if (this.keeper.connection !== connection) return;
    await connection.setRemoteDescription({ type: "answer", sdp: answer });
    for (const [mid, track] of Object.entries(tracks)) {
      const label = labels[mid];
      const source = label === undefined ? undefined : this.sources.value[label];
      if (source === undefined) continue;
      if (source.muted && source.track !== track) await this.routes.own(track, true);
      const now = this.sources.value[source.label] ?? source;
      this.sources.value = { ...this.sources.value, [source.label]: { ...now, track } };
    }
  }

  /** Transceivers as the sources want them; the microphone's is the first and stays. */
  private async arrange(connection: RTCPeerConnection): Promise<void> {
    const sources = this.sources.value;
    const wanted = Object.values(sources);
    if (wanted.length === 0 || "microphone" in sources) this.sender(connection, "microphone");
    for (const source of wanted) {
      const one = this.sender(connection, source.label);
      if (one.sender.track !== source.media) await one.sender.replaceTrack(source.media);
    }
    for (const [label, one] of [...this.senders]) {
      if (label in sources || (label === "microphone" && this.isPrepared)) continue;
      await one.sender.replaceTrack(null);
      if (label === "microphone") continue;
      one.direction = "inactive";
      this.senders.delete(label);
    }
  }

  private sender(connection: RTCPeerConnection, label: Label): RTCRtpTransceiver {
    const known = this.senders.get(label);
    if (known) return known;
    const isSound = label === "microphone" || label === "screen_sound";
    const layers = isSound ? [] : label === "camera" ? CAMERA_LAYERS : SCREEN_LAYERS;
    const made = connection.addTransceiver(isSound ? "audio" : "video", {
      direction: "sendonly",
      ...(isSound ? {} : { sendEncodings: layers.map((one) => ({ ...one })) }),
    });
    if (!isSound) preferH264(made);
    this.senders.set(label, made);
    return made;
  }
}

/** The one picture format that every browser plays and a recording keeps as it came. */
function preferH264(transceiver: RTCRtpTransceiver): void {
  const codecs = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
  const isFirst = (one: { mimeType: string }) => one.mimeType.toLowerCase() === "video/h264";
  const sorted = [...codecs.filter(isFirst), ...codecs.filter((one) => !isFirst(one))];
  if (sorted.length > 0) transceiver.setCodecPreferences?.(sorted);
}

/**
 * What this page watches by WebRTC (观看): tracks on tiles, as large as the tiles are.
 *
 * Invariant: the server's offers are answered one at a time and in order; the whole of what is
 * wanted is told each time, so that a lost request costs nothing but time.
 */
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { Refused } from "../net/commands.ts";
import { Keeper } from "./keeper.ts";
import type { Routes } from "./routes.ts";
import { watchSize } from "./sight.ts";
import type { Told } from "./told.ts";
import { isSame, type Tile, tracksByMid, wantedOf } from "./wanted.ts";

const SETTLE_MS = 120;
const AGAIN_MS = 600;

export class Watching {
  /** What has arrived: track number -> the browser's own track. */
  readonly arrived: Signal<ReadonlyMap<number, MediaStreamTrack>> = signal(new Map());
  readonly keeper: Keeper;
  /** Something is wanted that should be flowing. */
  readonly expects: ReadonlySignal<boolean>;
  private readonly routes: Routes;
  private readonly told: ReadonlySignal<Told>;
  private readonly own: () => string;
  private readonly tiles = new Map<symbol, Tile>();
  private readonly changed = signal(0);
  private asked: Readonly<Record<number, number>> | null = null;
  private turn: Promise<void> = Promise.resolve();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private isOpen = false;

  constructor(
    routes: Routes,
    told: ReadonlySignal<Told>,
    own: () => string,
    servers: () => RTCIceServer[],
  ) {
    this.routes = routes;
    this.told = told;
    this.own = own;
    this.expects = computed(() => {
      void this.changed.value;
      return Object.entries(this.wanted()).some(([track, px]) => {
        const one = this.told.value.tracks[Number(track)];
        return px > 0 && one?.flowing === true && !one.paused;
      });
    });
    this.keeper = new Keeper({
      way: "watch",
      negotiate: () => this.tell(true),
      expects: () => this.expects.value,
      servers,
      closed: () => {
        this.arrived.value = new Map();
        this.asked = null;
      },
    });
  }

  /** From now on what is on tiles is fetched. */
  open(): void {
    this.isOpen = true;
    this.renew();
  }

  close(): void {
    this.isOpen = false;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.keeper.unwant();
  }

  /** The server's end is gone; with nothing to see there is nothing to open yet. */
  restarted(): void {
    if (Object.keys(this.wanted()).length > 0) this.keeper.restarted();
    else this.keeper.unwant();
    this.renew();
  }

  /** The room has changed: tracks came or went. */
  renew(): void {
    if (!this.isOpen) return;
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.follow();
    }, SETTLE_MS);
  }

  /** Wants a track at a height in pixels (sound: any); what is returned ends it. */
  want(track: number, heightPx: number): () => void {
    const key = Symbol();
    this.set(key, { track, heightPx });
    return () => this.set(key, null);
  }

  /**
   * Puts a track on an element that is on the page, asks for as much of it as is seen; what is
   * returned takes it off.
   */
  show(track: number, element: HTMLMediaElement): () => void {
    const key = Symbol();
    const blind = watchSize(element, (heightPx) => this.set(key, { track, heightPx }));
    const stop = this.arrived.subscribe((arrived) => {
      const media = arrived.get(track);
      const shown =
        element.srcObject instanceof MediaStream ? element.srcObject.getTracks()[0] : null;
      if (media === shown || (media === undefined && shown === null)) return;
      element.srcObject = media === undefined ? null : new MediaStream([media]);
      if (media !== undefined) void element.play().catch(() => {});
    });
    return () => {
      stop();
      blind();
      element.srcObject = null;
      this.set(key, null);
    };
  }

  private set(key: symbol, tile: Tile | null): void {
    if (tile === null) this.tiles.delete(key);
    else this.tiles.set(key, tile);
    this.changed.value += 1;
    this.renew();
  }

  private wanted(): Record<number, number> {
    return wantedOf(this.tiles.values(), this.told.value.tracks, this.own());
  }

  private unseen(): Record<number, number> {
    const others = Object.values(this.told.value.tracks).filter(
      (one) => one.member !== this.own() && one.to === null,
    );
    return Object.fromEntries(others.slice(0, 1).map((one) => [one.track, 0]));
  }

  /** Opens the connection with the first track that is wanted; it stays until `close`. */
  private follow(): void {
    const wanted = this.wanted();
    if (this.keeper.phase.value === "off") {
      if (Object.keys(wanted).length > 0) this.keeper.want();
      return;
    }
    const { connection } = this.keeper;
    if (connection === null || (this.asked !== null && isSame(wanted, this.asked))) return;
    this.tell(false).catch((error: unknown) => {
      if (this.keeper.connection === connection) this.keeper.trouble(error);
    });
  }

  /** Tells the whole of what is wanted and answers the offer that may come back. */
  private tell(isNew: boolean): Promise<void> {
    const { connection } = this.keeper;
    const next = this.turn.then(() => this.exchange(connection, isNew));
    this.turn = next.catch(() => {});
    return next;
  }

  private async exchange(connection: RTCPeerConnection | null, isNew: boolean): Promise<void> {
    if (connection === null || this.keeper.connection !== connection) return;
    let wanted = this.wanted();
    // While fragments are shown nothing is wanted; the way back is tried with a track unseen.
    if (isNew && Object.keys(wanted).length === 0) wanted = this.unseen();
    if (!isNew && this.asked !== null && isSame(wanted, this.asked)) return;
    let offer: string | null;
    try {
      offer = await this.routes.watch(wanted, isNew);
    } catch (error) {
      // A track has just gone; the line that says so is on its way.
      const isPassing = error instanceof Refused && error.code === "media.unknown";
      if (!isPassing || isNew) throw error;
      setTimeout(() => this.renew(), AGAIN_MS);
      return;
    }
    if (this.keeper.connection !== connection) return;
    this.asked = wanted;
    if (offer === null) {
      // A new connection without anything on it would wait for ever.
      if (isNew) this.keeper.unwant();
      return;
    }
    await connection.setRemoteDescription({ type: "offer", sdp: offer });
    await connection.setLocalDescription();
    await this.routes.answer(connection.localDescription?.sdp ?? "");
    this.collect(connection, offer);
  }

  private collect(connection: RTCPeerConnection, offer: string): void {
    if (this.keeper.connection !== connection) return;
    const byMid = tracksByMid(offer);
    const arrived = new Map<number, MediaStreamTrack>();
    for (const one of connection.getTransceivers()) {
      const track = one.mid === null ? undefined : byMid.get(one.mid);
      if (track !== undefined) arrived.set(track, one.receiver.track);
    }
    this.arrived.value = arrived;
  }
}

/**
 * The media routes of the site (媒体接口): what a page asks of a media room, typed.
 *
 * Invariant: as `net/http.ts`: a refusal is `Refused` with its code, no answer is `Unreachable`.
 */
import { getJson, openStream, postJson } from "../net/http.ts";
import type { Label } from "./told.ts";

export interface Name {
  readonly name: string;
  readonly org_name: string;
  readonly role: string;
  readonly venue: string;
  readonly seat: string;
}

export interface May {
  readonly publish: readonly Label[];
  readonly watch: boolean;
  readonly watch_all: boolean;
  readonly mute: boolean;
  readonly stage: boolean;
  readonly call_in: boolean;
  readonly hidden: boolean;
}

export interface Door {
  readonly member: string;
  readonly may: May;
  /** What is tried first. */
  readonly way: "webrtc" | "fragments";
  readonly ice_servers: readonly {
    readonly urls: readonly string[];
    readonly username?: string;
    readonly credential?: string;
  }[];
  readonly fragments: { readonly live: string; readonly hls: string } | null;
  /** The media server's, that a firewall has to let pass; 0: not known. */
  readonly udp_port: number;
  readonly recorded: boolean;
  readonly venues: readonly unknown[] | null;
  readonly names: Readonly<Record<string, Name>>;
}

/** Whom a call-in is for; null: the room, as any other track. */
export interface To {
  readonly kind: "seat" | "venue" | "all";
  readonly id: string;
}

export interface Routes {
  door(): Promise<Door>;
  publish(
    offer: string,
    labels: Readonly<Record<string, Label>>,
    to: To | null,
  ): Promise<{ answer: string; tracks: Readonly<Record<string, number>> }>;
  /** `isNew`: our connection is a new one; the server lets the old one go and offers all. */
  watch(wanted: Readonly<Record<number, number>>, isNew: boolean): Promise<string | null>;
  answer(answer: string): Promise<void>;
  own(track: number, muted: boolean): Promise<void>;
  leave(): Promise<void>;
  told(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/** The routes of one room, such as `opening:<id>`; `tab` tells pages of one person apart. */
export function routesOf(room: string, tab: string): Routes {
  const at = (name: string) => `/media/${room}/${name}`;
  return {
    door: () => getJson<Door>(at("door")),
    publish: (offer, labels, to) => postJson(at("publish"), { offer, labels, to, tab }),
    watch: async (wanted, isNew) => {
      const body = { wanted, anew: isNew, tab };
      const { offer } = await postJson<{ offer: string | null }>(at("watch"), body);
      return offer;
    },
    answer: async (answer) => {
      await postJson(at("answer"), { answer, tab });
    },
    own: async (track, muted) => {
      await postJson(at("own"), { track, muted, tab });
    },
    leave: async () => {
      await postJson(at("leave"), { tab });
    },
    told: (signal) => openStream(`${at("told")}?tab=${tab}`, signal),
  };
}

/**
 * Where a page leaves room for live video (音视频插槽): loaded when the page itself is live.
 *
 * Invariant: a page works the same whether what is loaded here comes late, fails or never comes;
 * until then there is nothing. Only this file of the folder belongs to a page's own code.
 */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { OpeningView } from "../opening/view.ts";
import type { StageActs } from "./stage_acts.ts";

export interface LiveProps {
  readonly id: string;
  readonly view: OpeningView;
  /** The window still asks something of the one who looks: nothing else may. */
  readonly isAsked: boolean;
  /** It stands among the panes of a desk, and is one of them. */
  readonly isPane?: boolean;
  /** Present at the host's own desk. */
  readonly acts?: StageActs;
}

/** After the clock, the board and the button are there. */
const SETTLE_MS = 300;

/** `isLive`: what this page is for has come. */
export function LiveSlot({ isLive, ...props }: LiveProps & { readonly isLive: boolean }) {
  const [loaded, setLoaded] = useState<{ Panel: ComponentType<LiveProps> } | null>(null);
  const isHost = props.acts !== undefined;
  useEffect(() => {
    if (!isLive || loaded !== null) return;
    const timer = setTimeout(() => {
      const coming: Promise<ComponentType<LiveProps>> = isHost
        ? import("./studio_live.tsx").then((found) => found.StudioLive)
        : import("./hall_live.tsx").then((found) => found.HallLive);
      coming.then((Panel) => setLoaded({ Panel })).catch(() => {}); // the hall is whole without
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [isLive, loaded, isHost]);
  return loaded === null ? null : <loaded.Panel {...props} />;
}

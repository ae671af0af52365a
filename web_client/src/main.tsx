/**
 * The one page (入口): reads the address, logs in with what a demo link brought, opens the store.
 *
 * Invariant: secrets of a link's fragment leave the address bar before anything else happens.
 */
import { type ComponentType, render } from "preact";
import "./styles/index.css";
import { takeFragment } from "./device/given_keys.ts";
import { locale, t } from "./i18n.ts";
import { heldSeed, whoAmI } from "./net/session.ts";
import { openStore } from "./net/store.ts";
import { Plain } from "./pages/frame.tsx";
import { LiveBoard, LiveDemo, LiveHall, LiveHost, LiveLogin } from "./pages/live.tsx";
import type { LiveProps } from "./pages/live_props.tsx";
import { refusalText } from "./ui/refusal.tsx";
import { Case, Progress } from "./ui/words.tsx";

const RETRY_MS = 3000;
const PLACE =
  /^\/(hall|bid|unlock|host|trustee|playback|evaluation|venues|wall)\/([a-z0-9-]{1,64})$/;

type PlaceProps = LiveProps & { readonly id: string };

/** The page of this address; those that seal are loaded when they are asked for. */
async function pageOf(path: string): Promise<ComponentType<PlaceProps>> {
  switch (PLACE.exec(path)?.[1] ?? path) {
    case "/":
      return LiveBoard;
    case "/login":
      return LiveLogin;
    case "/demo":
      return LiveDemo;
    case "hall":
      return LiveHall;
    case "host":
      return LiveHost;
    case "bid":
      return (await import("./pages/live_own.tsx")).LiveBid;
    case "unlock":
      return (await import("./pages/live_own.tsx")).LiveCard;
    case "trustee":
      return (await import("./pages/live_own.tsx")).LiveTrustee;
    case "evaluation":
    case "venues":
    case "wall":
      return (await import("./pages/venues/live_venues.tsx")).LiveMeeting;
    case "playback":
      return (await import("./pages/playback/live_playback.tsx")).LivePlayback;
    default:
      return () => <Notice text={t("page.unknown")} />;
  }
}

/** The page, or that there is nothing at this address. */
function Place({ Page, ...props }: PlaceProps & { readonly Page: ComponentType<PlaceProps> }) {
  return props.store.isNowhere.value ? <NoSuchRoom /> : <Page {...props} />;
}

function NoSuchRoom() {
  const { title, safe, todo } = refusalText("room.unknown");
  return <Notice text={title} more={[safe, todo]} />;
}

interface NoticeProps {
  readonly text: string;
  readonly more?: readonly string[];
  readonly isBusy?: boolean;
}

function Notice({ text, more = [], isBusy = false }: NoticeProps) {
  const around = {
    me: {},
    nowMs: Date.now(),
    link: "connecting" as const,
    rttMs: null,
    errorMs: null,
    deviceAheadMs: 0,
  };
  return (
    <Plain around={around} title={text}>
      <Case title={text} level={1}>
        {isBusy && <Progress value={null} max={1} label={text} />}
        {more.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
        <p>
          <a class="act" href="/">
            {t("listing.title")}
          </a>
        </p>
      </Case>
    </Plain>
  );
}

async function start(app: HTMLElement): Promise<void> {
  document.documentElement.lang = locale.value;
  takeFragment();
  const { pathname } = location;
  const id = PLACE.exec(pathname)?.[2] ?? "";
  for (;;) {
    try {
      const [{ store, bootstrap }, Page] = await Promise.all([openStore(), pageOf(pathname)]);
      await whoAmI().catch((error: unknown) => {
        // A seed that no longer logs in must not keep the public from the public pages.
        if (heldSeed() === null) throw error;
      });
      store.start();
      render(<Place Page={Page} store={store} bootstrap={bootstrap} id={id} />, app);
      return;
    } catch (error) {
      console.error(error);
      render(<Notice text={t("page.unreachable")} isBusy />, app);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

const app = document.getElementById("app");
if (app) void start(app);

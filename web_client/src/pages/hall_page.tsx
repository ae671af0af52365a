/**
 * The public hall (公开大厅): what anybody may see of one opening, and how to check it oneself.
 *
 * Invariant: no login, no count of bids before the deadline, no states by firm before the window's
 * end.
 */
import { useMemo } from "preact/hooks";
import { locale, t } from "../i18n.ts";
import { openable, tallyState } from "../opening/own.ts";
import type { OpeningView } from "../opening/view.ts";
import { clockTime, dayTime } from "../time.ts";
import { NotOpened, Reading, ReadoutTable } from "../ui/readout.tsx";
import { Rack } from "../ui/tally.tsx";
import { roleWord } from "../ui/top.tsx";
import { Case, Facts, Fold, Status } from "../ui/words.tsx";
import { Hall, type Surroundings } from "./frame.tsx";

export interface HallPageProps {
  readonly view: OpeningView;
  readonly around: Surroundings;
}

export function HallPage({ view, around }: HallPageProps) {
  return (
    <Hall view={view} around={around} isAsked={true} side={<Viewers around={around} />}>
      <HallCases view={view} around={around} ownNumbers={new Set()} />
    </Hall>
  );
}

/** The cases of the public hall; other pages show them below what they ask. */
export function HallCases({
  view,
  around,
  ownNumbers,
  hidesFingerprint = false,
}: HallPageProps & {
  readonly ownNumbers: ReadonlySet<number>;
  /** A trustee is to read it from the hall's screen. */
  readonly hidesFingerprint?: boolean;
}) {
  return (
    <>
      {view.stage === "failed" ? (
        <FailedCase view={view} />
      ) : (
        <StageCase view={view} around={around} ownNumbers={ownNumbers} />
      )}
      {view.closing && !hidesFingerprint && <CheckCase view={view} />}
    </>
  );
}

const CROWD = 1000;

/** How many people are in the hall; of a crowd the server tells two digits. */
export function presentText(n: number): string {
  return t(n < CROWD ? "hall.viewers" : "hall.viewers_about", { n });
}

export function Viewers({ around }: { readonly around: Surroundings }) {
  const viewers = around.counts?.["viewers"];
  if (typeof viewers !== "number") return null;
  return <p class="small soft">{presentText(viewers)}</p>;
}

/** How many have unlocked: only where the template allows it, and only a number. */
export function unlockedCount(view: OpeningView, around: Surroundings): number | null {
  if (view.window?.ended) return view.unlocked.size;
  const session = view.manifest?.sessions.find((one) => one.session === view.window?.session);
  const counted = around.counts?.["unlocked"];
  return session?.show_count && typeof counted === "number" ? counted : null;
}

function StageCase({
  view,
  around,
  ownNumbers,
}: HallPageProps & { readonly ownNumbers: ReadonlySet<number> }) {
  switch (view.stage) {
    case "scheduled":
    case "sign_in":
      return <BeforeCase view={view} />;
    case "announced":
      return (
        <Case title={t("hall.announced_title", { n: view.bids.length })}>
          <p class="lead">{t("hall.announced")}</p>
          <BidderList view={view} isOpen={true} />
        </Case>
      );
    case "decryption": {
      const count = unlockedCount(view, around);
      return (
        <Case
          title={
            count === null
              ? t("hall.decryption_title", { n: openable(view).length })
              : t("hall.decryption_count", { n: openable(view).length, count })
          }
        >
          <p class="lead">
            {t("hall.decryption", { time: clockTime(view.window?.endMs ?? around.nowMs) })}
          </p>
          <p>{t("hall.decryption_hidden")}</p>
          {ownNumbers.size === 0 && (
            <p>
              <a href={`/unlock/${view.id}`}>{t("hall.card_link")}</a>
            </p>
          )}
          <BidderList view={view} />
        </Case>
      );
    }
    case "release":
    case "replies":
    case "opening":
      return (
        <Case
          title={t("hall.release_title", { n: view.unlocked.size, total: openable(view).length })}
        >
          <p class="lead">{t(view.stage === "opening" ? "hall.opening" : "hall.release")}</p>
          <RackOf view={view} ownNumbers={ownNumbers} />
          <Shares view={view} />
          <BidderList view={view} />
        </Case>
      );
    case "read_out":
    case "closed": {
      const row = view.rows.find((one) => one.no === view.row);
      return (
        <>
          <Case title={t("readout.title", { n: view.rows.length })}>
            {row && view.stage === "read_out" && <Reading view={view} row={row} />}
            <ReadoutTable view={view} ownNumbers={ownNumbers} />
            <NotOpened view={view} />
          </Case>
          <BundleCase view={view} />
        </>
      );
    }
    case "failed":
      return null;
  }
}

function BeforeCase({ view }: { readonly view: OpeningView }) {
  const { manifest } = view;
  return (
    <Case title={t("hall.before_title")}>
      <p class="lead">{t("hall.before")}</p>
      {manifest && (
        <Facts
          rows={[
            [t("fact.project"), manifest.title],
            [t("fact.number"), manifest.number],
            [t("fact.purchaser"), manifest.purchaser.name],
            [t("fact.agency"), manifest.agency.name],
            [t("fact.deadline"), dayTime(view.deadlineMs)],
            [t("fact.count"), t("listing.count_later")],
            [t("fact.trustees"), <TrusteeNames key="t" view={view} />],
          ]}
        />
      )}
    </Case>
  );
}

/** Who holds the other half; an uncertified key is called so wherever its holder is named. */
export function TrusteeNames({ view }: { readonly view: OpeningView }) {
  const trustees = view.manifest?.trustees ?? [];
  const form = view.manifest?.envelopes.find((one) => one.kind === "form");
  return (
    <>
      {trustees.map((trustee) => (
        <p key={trustee.spk}>
          {roleWord(trustee.role)} {trustee.organisation} {trustee.name}
          {trustee.ca === null && <span class="small soft"> {t("key.uncertified")}</span>}
        </p>
      ))}
      {form && (
        <p class="small soft">{t("hall.threshold", { t: form.t, n: form.trustees.length })}</p>
      )}
    </>
  );
}

function FailedCase({ view }: { readonly view: OpeningView }) {
  return (
    <Case title={t("hall.failed_title")}>
      <p class="lead">
        {view.failedReason === "too_few_bids"
          ? t("hall.failed_too_few", { n: view.bids.length, min: view.manifest?.min_bidders ?? 3 })
          : t("hall.failed_other")}
      </p>
      <p>{t("hall.failed_sealed")}</p>
      <BidderList view={view} isOpen={true} />
    </Case>
  );
}

/** Drawn anew when a state changed, not with every tick of the clock. */
export function RackOf({
  view,
  ownNumbers,
}: {
  readonly view: OpeningView;
  readonly ownNumbers: ReadonlySet<number>;
}) {
  const own = [...ownNumbers].join();
  return useMemo(() => {
    const items = view.bids.map((bid) => ({
      no: bid.no,
      name: bid.name || t("hall.masked"),
      state: tallyState(view, bid),
      isOwn: ownNumbers.has(bid.no),
    }));
    return <Rack items={items} />;
  }, [view, own, locale.value]);
}

export function Shares({ view }: { readonly view: OpeningView }) {
  const trustees = view.manifest?.trustees ?? [];
  return (
    <ul class="shares">
      {trustees.map((trustee, at) => {
        const release = view.releases.find((one) => one.i === at + 1);
        const isFaulty = view.faults.some((fault) => fault.i === at + 1);
        return (
          <li key={trustee.spk}>
            <Status
              tone={isFaulty ? "stop" : release ? "go" : "soft"}
              glyph={isFaulty ? "warn" : release ? "tick" : "ring"}
            />
            <div>
              <b>
                {roleWord(trustee.role)} {trustee.organisation}
              </b>
              <p>
                {isFaulty
                  ? t("shares.fault")
                  : release
                    ? t("shares.given", { time: clockTime(release.receivedMs) })
                    : t("shares.waiting")}
              </p>
            </div>
            <b class={release ? "go-word" : "soft"}>
              {t(release ? "shares.here" : "shares.not_yet")}
            </b>
          </li>
        );
      })}
    </ul>
  );
}

export function BidderList({
  view,
  isOpen = false,
}: {
  readonly view: OpeningView;
  readonly isOpen?: boolean;
}) {
  const list = useMemo(
    () => (
      <ol class="bidders">
        {view.bids.map((bid) => (
          <li key={bid.no}>
            <span class="soft">{bid.no}</span> {bid.name || t("hall.masked")}
            {!bid.certified && <span class="tiny soft"> {t("key.uncertified")}</span>}
          </li>
        ))}
      </ol>
    ),
    [view.bids, locale.value],
  );
  if (view.bids.length === 0) return null;
  return (
    <Fold title={t("hall.list", { n: view.bids.length })} isOpen={isOpen}>
      {list}
    </Fold>
  );
}

function CheckCase({ view }: { readonly view: OpeningView }) {
  return (
    <Case title={t("hall.check_title")}>
      <p>{t("hall.check", { time: clockTime(view.deadlineMs) })}</p>
      <p class="fingerprint">{view.closing?.fingerprint}</p>
      <Fold title={t("hall.check_more")}>
        <pre class="code small checkpoint">{view.closing?.checkpoint}</pre>
      </Fold>
    </Case>
  );
}

export function BundleCase({ view }: { readonly view: OpeningView }) {
  return (
    <Case title={t("bundle.title")}>
      <p>{t("bundle.text")}</p>
      <p>
        <a href={`/openings/${view.id}/opening.zip`} download={`opening-${view.id}.zip`}>
          {t("bundle.download")}
        </a>
      </p>
      <Fold title={t("bundle.how_title")}>
        <p>{t("bundle.how")}</p>
        <p class="code">python3 kaibiao-verify.pyz opening-{view.id}.zip</p>
        <p>{t("bundle.how_receipt")}</p>
      </Fold>
    </Case>
  );
}

/**
 * The page of an unlock card (解锁卡页): any device, no login, no key file.
 *
 * Invariant: pure. "Unlocked" is said only on the server's signed word; before the window there is
 * nothing to type into, and the page says when there will be.
 */
import { t } from "../../i18n.ts";
import { boardOf } from "../../opening/board.ts";
import { leftMs, type OpeningView } from "../../opening/view.ts";
import { clockTime, dayTime, proofTime } from "../../time.ts";
import { Evidence, refusalText, type Trouble } from "../../ui/refusal.tsx";
import { Alarm, Button, Case, Done, Facts, Note } from "../../ui/words.tsx";
import { AskClock } from "../bid/ask_clock.tsx";
import { Loading } from "../bid/before.tsx";
import { CardForm } from "../bid/card_form.tsx";
import { Hall, type Surroundings } from "../frame.tsx";
import { HallCases } from "../hall_page.tsx";
import { CallHelp } from "../help.tsx";
import type { CardActs, CardView } from "./card_view.ts";

export interface CardPageProps {
  readonly view: OpeningView;
  readonly card: CardView;
  readonly acts: CardActs;
  readonly around: Surroundings;
}

export function CardPage(props: CardPageProps) {
  const { view, card, around } = props;
  const isAsked = view.stage === "decryption" && !isAllGiven(card);
  const board = boardOf(view, around.nowMs, around.link, isAsked);
  return (
    <Hall
      view={view}
      around={around}
      isAsked={isAsked}
      board={board}
      title={t("card_page.title")}
      turn={`${view.stage === "decryption"} ${isAllGiven(card)} ${card.unlock.kind === "failed"}`}
    >
      <Face {...props} />
    </Hall>
  );
}

const isAllGiven = (card: CardView) => card.given.length > 0 && card.missing.length === 0;

function Face(props: CardPageProps) {
  const { view, card, around } = props;
  if (view.manifest === null) return <Loading />;
  switch (view.stage) {
    case "scheduled":
    case "sign_in":
    case "announced":
      return <TooEarly view={view} />;
    case "decryption":
      return <Playing {...props} />;
    case "failed":
      return <HallCases view={view} around={around} ownNumbers={new Set()} />;
    default:
      return card.given.length > 0 ? (
        <Given {...props} />
      ) : (
        <Case title={t("card_page.over_title")}>
          <p class="lead">
            {t("card_page.over", { time: view.window ? clockTime(view.window.endMs) : "" })}
          </p>
          <CallHelp around={around} />
          <ToHall id={view.id} />
        </Case>
      );
  }
}

function ToHall({ id }: { readonly id: string }) {
  return (
    <p>
      <a href={`/hall/${id}`}>{t("card_page.hall")}</a>
    </p>
  );
}

function TooEarly({ view }: { readonly view: OpeningView }) {
  return (
    <Case title={t("card_page.before_title")}>
      <p class="lead">{t("card_page.before")}</p>
      <Facts
        rows={[
          [t("fact.project"), `${view.manifest?.title ?? ""} ${view.manifest?.number ?? ""}`],
          [t("fact.deadline"), dayTime(view.deadlineMs)],
        ]}
      />
      <ToHall id={view.id} />
    </Case>
  );
}

function Playing(props: CardPageProps) {
  const { view, card, acts, around } = props;
  const { unlock } = card;
  if (unlock.kind === "ask_clock") {
    return (
      <AskClock
        unlock={unlock}
        onConfirm={() => acts.unlockByCard(true)}
        onBack={() => acts.dismiss()}
      />
    );
  }
  if (isAllGiven(card)) return <Given {...props} />;
  return (
    <>
      {unlock.kind === "failed" && <Wrong view={view} around={around} trouble={unlock.trouble} />}
      {card.given.length > 0 && <Given {...props} />}
      <Case title={<span class="big-title">{t("card_page.title")}</span>}>
        {card.missing.length > 0 ? (
          <Note tone="wait">
            <b>{t("card_page.missing_title", { names: card.missing.join(t("list.comma")) })}</b>
            <p>{t("card_page.missing")}</p>
          </Note>
        ) : (
          <p class="lead">{t("card_page.lead")}</p>
        )}
        <CardForm desk={card} acts={acts} isFirst={true} />
      </Case>
    </>
  );
}

function Given({ view, card, acts }: CardPageProps) {
  const receipt = card.unlockReceipt;
  const no = card.given.at(-1)?.no ?? 0;
  return (
    <Case>
      <Done title={t("card_page.done_title", { no })} glyph="half">
        {card.given.map((one) => (
          <p key={`${one.no} ${one.envelope}`}>
            {one.receivedMs === null
              ? t("card_page.already", { name: one.name })
              : t("card_page.given", { name: one.name, time: proofTime(one.receivedMs) })}
          </p>
        ))}
        {receipt && (
          <Button glyph="down" onPress={() => acts.download(receipt.name, receipt.file)}>
            {t("waiting.receipt")}
          </Button>
        )}
      </Done>
      {isAllGiven(card) && (
        <div>
          <h2>{t("waiting.nothing")}</h2>
          <p>{t("waiting.close_page")}</p>
        </div>
      )}
      <p class="small soft">{t("card_page.not_compared")}</p>
      <ToHall id={view.id} />
    </Case>
  );
}

/** What went wrong, whether the bid is intact, how much time is left, and whom to call. */
function Wrong({
  view,
  around,
  trouble,
}: Pick<CardPageProps, "view" | "around"> & { readonly trouble: Trouble }) {
  const words = refusalText(trouble.code, trouble.detail);
  const left = view.window ? leftMs(view.window, around.nowMs) : 0;
  return (
    <Case>
      <Alarm title={words.title}>
        <p>
          <b>
            {words.safe}{" "}
            {left > 0 &&
              t("failed.time_left", {
                minutes: Math.floor(left / 60_000),
                seconds: Math.floor((left % 60_000) / 1000),
              })}
          </b>
        </p>
        <p>{words.todo}</p>
      </Alarm>
      <CallHelp around={around} />
      <Evidence trouble={trouble} />
    </Case>
  );
}

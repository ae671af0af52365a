/**
 * The bidder while the countdown runs (投标人解密): asked, waiting, or in trouble.
 *
 * Invariant: one act. "Unlocked" is said only on the server's signed word; a failure page is an
 * instruction page: is the bid intact, how much time is left, what to do first, second, third.
 */
import { useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import { isOwnUnlocked, openable } from "../../opening/own.ts";
import type { Bid, OpeningView } from "../../opening/view.ts";
import { clockTime, proofTime } from "../../time.ts";
import { refusalText, type Trouble } from "../../ui/refusal.tsx";
import { type Half, TwoHalves } from "../../ui/tally.tsx";
import { roleWord } from "../../ui/top.tsx";
import { Act, Alarm, Button, Case, Done } from "../../ui/words.tsx";
import type { Surroundings } from "../frame.tsx";
import { unlockedCount } from "../hall_page.tsx";
import { CallHelp } from "../help.tsx";
import { AskClock } from "./ask_clock.tsx";
import { CardForm } from "./card_form.tsx";
import type { DeskActs, DeskView } from "./desk_view.ts";
import { Failed } from "./failed.tsx";
import { OpenKey } from "./key_case.tsx";

export interface UnlockingProps {
  readonly view: OpeningView;
  readonly desk: DeskView;
  readonly acts: DeskActs;
  readonly around: Surroundings;
  readonly bids: readonly Bid[];
}

export function Unlocking(props: UnlockingProps) {
  const { view, desk, bids } = props;
  if (bids.every((bid) => isOwnUnlocked(view, bid))) return <Waiting {...props} />;
  if (desk.unlock.kind === "ask_clock") {
    const { acts } = props;
    return (
      <AskClock
        unlock={desk.unlock}
        onConfirm={() => acts.unlock(true)}
        onBack={() => acts.dismiss()}
      />
    );
  }
  if (desk.unlock.kind === "failed") return <Failed {...props} trouble={desk.unlock.trouble} />;
  if (desk.key.kind === "absent" || desk.key.kind === "locked" || desk.key.kind === "busy") {
    return (
      <>
        {desk.trouble && <KeyTrouble trouble={desk.trouble} />}
        <OpenKey desk={desk} acts={props.acts} isUrgent />
        <CardCase {...props} />
      </>
    );
  }
  return <YourTurn {...props} />;
}

function KeyTrouble({ trouble }: { readonly trouble: Trouble }) {
  const words = refusalText(trouble.code, trouble.detail);
  return (
    <Alarm title={words.title}>
      <p>{words.todo}</p>
    </Alarm>
  );
}

function keptHalf(view: OpeningView): Half {
  const form = view.manifest?.envelopes.find((one) => one.kind === "form");
  const names = (form?.trustees ?? [])
    .map((place) => view.manifest?.trustees[place - 1])
    .map((trustee) => roleWord(trustee?.role))
    .join(t("list.comma"));
  return {
    title: t("halves.kept"),
    state: view.window
      ? t("halves.kept_after", { time: clockTime(view.window.endMs).slice(0, 5) })
      : "",
    more: t("halves.kept_by", { names, t: form?.t ?? 0, n: form?.trustees.length ?? 0 }),
    isGiven: false,
  };
}

function YourTurn({ view, desk, acts, around }: UnlockingProps) {
  const isSending = desk.unlock.kind === "sending" || desk.unlock.kind === "checking";
  return (
    <>
      <Case title={<span class="big-title">{t("unlock.title")}</span>}>
        <p class="lead">{t("unlock.lead")}</p>
        <div class="thumb">
          <Act
            glyph="half"
            isWide
            id="unlock"
            isBusy={isSending}
            onPress={() => acts.unlock(false)}
          >
            {t(
              desk.unlock.kind === "sending"
                ? "unlock.sending"
                : desk.unlock.kind === "checking"
                  ? "unlock.checking"
                  : "unlock.act",
            )}
          </Act>
        </div>
        <TwoHalves
          own={{
            title: t("halves.own"),
            state: t("halves.own_not_given"),
            more: t(desk.rehearsal === "passed" ? "halves.own_rehearsed" : "halves.own_here"),
            isGiven: false,
          }}
          kept={keptHalf(view)}
        />
        <p>
          <b>{t("unlock.question")}</b>
          <br />
          {t("unlock.answer")}
        </p>
      </Case>
      <HelpCase desk={desk} acts={acts} around={around} />
    </>
  );
}

function HelpCase({ desk, acts, around }: Pick<UnlockingProps, "desk" | "acts" | "around">) {
  const [isCard, setCard] = useState(false);
  return (
    <Case title={t("unlock.help_title")}>
      <p>{t("unlock.help")}</p>
      {around.helpPhone && <CallHelp around={around} />}
      {isCard ? (
        <CardForm desk={desk} acts={acts} />
      ) : (
        <Button glyph="key" onPress={() => setCard(true)}>
          {t("card.use")}
        </Button>
      )}
    </Case>
  );
}

function Waiting({ view, desk, acts, around, bids }: UnlockingProps) {
  const [bid] = bids;
  const unlocking = bid && view.ownUnlocks[bid.no];
  const at = unlocking?.receivedMs ?? (desk.unlock.kind === "done" ? desk.unlock.receivedMs : null);
  const count = unlockedCount(view, around);
  const receipt = desk.unlockReceipt;
  return (
    <>
      <Case>
        <Done title={t("waiting.title")} glyph="half">
          {at !== null && <p class="big">{t("waiting.at", { time: proofTime(at) })}</p>}
          {receipt && (
            <Button glyph="down" onPress={() => acts.download(receipt.name, receipt.file)}>
              {t("waiting.receipt")}
            </Button>
          )}
        </Done>
        <div>
          <h2>{t("waiting.nothing")}</h2>
          <p>{t("waiting.close_page")}</p>
        </div>
        <TwoHalves
          own={{ title: t("halves.own"), state: t("halves.own_given"), isGiven: true }}
          kept={keptHalf(view)}
        />
      </Case>
      <Case
        title={
          count === null
            ? t("hall.decryption_title", { n: openable(view).length })
            : t("hall.decryption_count", { n: openable(view).length, count })
        }
      >
        <p>{t("hall.decryption_hidden")}</p>
      </Case>
    </>
  );
}

/** The card as a case of its own, for a device that has no key. */
function CardCase({ desk, acts }: UnlockingProps) {
  return (
    <Case title={t("card.instead_title")}>
      <p>{t("failed.card")}</p>
      <CardForm desk={desk} acts={acts} />
    </Case>
  );
}

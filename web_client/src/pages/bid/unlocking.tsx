/**
 * The bidder while the countdown runs (投标人解密): asked, waiting, or in trouble.
 *
 * Invariant: one act. "Unlocked" is said only on the server's signed word; a failure page is an
 * instruction page: is the bid intact, how much time is left, what to do first, second, third.
 */
import { useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import { isOwnUnlocked } from "../../opening/own.ts";
import { type Bid, leftMs, type OpeningView } from "../../opening/view.ts";
import { clockTime, dayTime, proofTime } from "../../time.ts";
import { Evidence, refusalText, type Trouble, TroubleBox } from "../../ui/refusal.tsx";
import { type Half, TwoHalves } from "../../ui/tally.tsx";
import { roleWord } from "../../ui/top.tsx";
import { Act, Alarm, Button, Case, Done, FilePick, Fold, Note } from "../../ui/words.tsx";
import type { Surroundings } from "../frame.tsx";
import { HallCases, unlockedCount } from "../hall_page.tsx";
import type { DeskActs, DeskView } from "./desk_view.ts";
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
  if (desk.unlock.kind === "ask_clock") return <AskClock {...props} unlock={desk.unlock} />;
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

function YourTurn({ view, desk, acts }: UnlockingProps) {
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
      <HelpCase desk={desk} acts={acts} />
    </>
  );
}

function HelpCase({ desk, acts }: Pick<UnlockingProps, "desk" | "acts">) {
  const [isCard, setCard] = useState(false);
  return (
    <Case title={t("unlock.help_title")}>
      <p>{t("unlock.help")}</p>
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
            ? t("hall.decryption_title", { n: view.bids.length })
            : t("hall.decryption_count", { n: view.bids.length, count })
        }
      >
        <p>{t("hall.decryption_hidden")}</p>
      </Case>
    </>
  );
}

/** E8, the hard case: the device's clock says that the deadline has not passed yet. */
function AskClock({
  acts,
  unlock,
}: UnlockingProps & { readonly unlock: Extract<DeskView["unlock"], { kind: "ask_clock" }> }) {
  return (
    <Case title={t("clock.ask_title")}>
      <p class="lead">
        {t("clock.ask", {
          device: dayTime(unlock.deviceMs),
          deadline: dayTime(unlock.deadlineMs),
        })}
      </p>
      <p>{t("clock.ask_why")}</p>
      <div class="thumb">
        <Act glyph="clock" isWide onPress={() => acts.unlock(true)}>
          {t("clock.ask_act", { time: clockTime(unlock.deadlineMs) })}
        </Act>
      </div>
      <Button onPress={acts.dismiss}>{t("clock.ask_back")}</Button>
    </Case>
  );
}

/** Codes after which another key or a card can still help; anything else asks for the same again. */
const OTHER_KEY = new Set(["unlock.key_mismatch", "seed.key", "seed.box", "seed.half"]);

function Failed({
  view,
  desk,
  acts,
  around,
  bids,
  trouble,
}: UnlockingProps & { readonly trouble: Trouble }) {
  const words = refusalText(trouble.code, trouble.detail);
  const left = view.window ? leftMs(view.window, around.nowMs) : 0;
  const isOver = view.window === null || view.window.ended || left === 0;
  // The same again helps only where the key fits and is open; else the card, or another key, is first.
  const needsOther = OTHER_KEY.has(trouble.code) || /^(card|keyfile)\./.test(trouble.code);
  const mayRepeat = desk.key.kind === "open" && !needsOther;
  const no = bids[0]?.no ?? 0;
  return (
    <>
      <Case>
        <Alarm title={words.title}>
          <p>
            <b>
              {words.safe}{" "}
              {isOver
                ? ""
                : t("failed.time_left", {
                    minutes: Math.floor(left / 60_000),
                    seconds: Math.floor((left % 60_000) / 1000),
                  })}
            </b>
          </p>
          {words.todo && <p>{words.todo}</p>}
        </Alarm>
        {!isOver && mayRepeat && (
          <div class="thumb">
            <Act glyph="again" isWide onPress={() => acts.unlock(false)}>
              {t("failed.again")}
            </Act>
          </div>
        )}
        {!isOver && (
          <>
            <h2>{t("failed.card_title")}</h2>
            <p>{t("failed.card")}</p>
            <CardForm desk={desk} acts={acts} isFirst={!mayRepeat} />
            <h2>{t("failed.no_card")}</h2>
            <ol class="numbered">
              <li>
                <div>
                  <h3>{t("failed.device_title")}</h3>
                  <p>{t("failed.device")}</p>
                  <KeyFileInput acts={acts} />
                </div>
              </li>
              <li>
                <div>
                  <h3>{t("failed.phone_title")}</h3>
                  <p>
                    {around.helpPhone ? (
                      <>
                        <a href={`tel:${around.helpPhone}`}>{around.helpPhone}</a>{" "}
                        {t("failed.phone_say", { title: view.manifest?.title ?? "", no })}
                      </>
                    ) : (
                      t("failed.phone", { title: view.manifest?.title ?? "", no })
                    )}
                  </p>
                </div>
              </li>
            </ol>
          </>
        )}
      </Case>
      <Case
        title={t("failed.law_title", { time: view.window ? clockTime(view.window.endMs) : "" })}
      >
        <p>{t("failed.law")}</p>
        <Evidence trouble={trouble} />
      </Case>
    </>
  );
}

function KeyFileInput({ acts }: { readonly acts: DeskActs }) {
  return (
    <div class="field">
      <FilePick id="other-key" accept=".kbk" glyph="key" onPick={acts.loadKeyFile}>
        {t("key.file_pick")}
      </FilePick>
    </div>
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

/** Types or photographs a card; one line per envelope, as the sheet and its QR have them. */
export function CardForm({
  desk,
  acts,
  isFirst = false,
}: Pick<UnlockingProps, "desk" | "acts"> & { readonly isFirst?: boolean }) {
  const text = desk.cardText;
  const setText = acts.typeCard;
  const [photo, setPhoto] = useState<"none" | "busy" | "unreadable">("none");
  const isBusy = desk.unlock.kind === "checking" || desk.unlock.kind === "sending";
  const submit = () => {
    if (text.trim() !== "" && !isBusy) acts.unlockByCard(false);
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div class="field">
        <FilePick
          id="card-photo"
          accept="image/*"
          isCamera
          glyph="camera"
          onPick={async (file) => {
            setPhoto("busy");
            const read = await acts.readCardPhoto(file);
            setPhoto(read === null ? "unreadable" : "none");
            if (read !== null) setText(read);
          }}
        >
          {t("card.photo")}
        </FilePick>
        <p aria-live="polite">
          {photo === "busy" && t("card.photo_busy")}
          {photo === "unreadable" && <span class="field-error">{t("card.photo_unreadable")}</span>}
        </p>
      </div>
      <div class="field">
        <label for="card-text">{t("card.input")}</label>
        <p class="hint">{t("card.input_hint")}</p>
        <textarea
          id="card-text"
          class="code"
          rows={3}
          autocapitalize="characters"
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </div>
      <div class={isFirst && text !== "" ? "thumb" : undefined}>
        {isFirst ? (
          <button
            type="submit"
            class="act wide"
            aria-disabled={text.trim() === "" ? "true" : undefined}
          >
            {t("card.act")}
          </button>
        ) : (
          <button type="submit" class="btn" disabled={text.trim() === "" || isBusy}>
            {t("card.act")}
          </button>
        )}
      </div>
    </form>
  );
}

/** After the window: waiting for the trustees, with the way out if they cannot be had. */
export function AfterWindow({ view, desk, acts, around, bids }: UnlockingProps) {
  const unlocked = bids.length > 0 && bids.every((bid) => view.unlocked.has(bid.no));
  const own = new Set(bids.map((bid) => bid.no));
  return (
    <>
      {bids.length > 0 && (
        <Case>
          {unlocked ? (
            <Done title={t("waiting.title")} glyph="half">
              <p>{t("after.unlocked")}</p>
            </Done>
          ) : (
            <Alarm title={t("after.locked_title")}>
              <p>
                <b>{t("after.locked")}</b>
              </p>
              <p>{t("after.locked_todo")}</p>
            </Alarm>
          )}
          {unlocked && (
            <div>
              <h2>{t("waiting.nothing")}</h2>
              <p>{t("after.next")}</p>
            </div>
          )}
          {unlocked && view.stage === "replies" && (
            <SelfRelease view={view} desk={desk} acts={acts} />
          )}
        </Case>
      )}
      {desk.trouble && <TroubleBox trouble={desk.trouble} />}
      {unlocked && view.trusteesLost !== null && desk.key.kind !== "open" && (
        <OpenKey desk={desk} acts={acts} />
      )}
      <HallCases view={view} around={around} ownNumbers={own} />
    </>
  );
}

function SelfRelease({ view, desk, acts }: Pick<UnlockingProps, "view" | "desk" | "acts">) {
  if (desk.selfRelease === "done") {
    return <Note tone="go">{t("self.done")}</Note>;
  }
  const act = (
    <Act glyph="key" onPress={acts.selfRelease} isBusy={desk.selfRelease === "busy"}>
      {t("self.act")}
    </Act>
  );
  if (view.trusteesLost !== null) {
    return (
      <Note tone="wait">
        <p>
          <b>{t("self.asked", { reason: view.trusteesLost })}</b>
        </p>
        <p>{t("self.what")}</p>
        {act}
      </Note>
    );
  }
  return (
    <Fold title={t("self.title")}>
      <p>{t("self.what")}</p>
      <Button glyph="key" onPress={acts.selfRelease} isOff={desk.selfRelease === "busy"}>
        {t("self.act")}
      </Button>
    </Fold>
  );
}

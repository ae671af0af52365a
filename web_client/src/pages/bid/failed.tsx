/**
 * The failure page (解密失败): an instruction page. First remedy is the act, the others below.
 *
 * Invariant: it says whether the bid is intact and how much time is left before anything else.
 */
import { t } from "../../i18n.ts";
import { leftMs } from "../../opening/view.ts";
import { clockTime } from "../../time.ts";
import { Evidence, refusalText, type Trouble } from "../../ui/refusal.tsx";
import { Act, Alarm, Case, FilePick } from "../../ui/words.tsx";
import { CardForm } from "./card_form.tsx";
import type { DeskActs } from "./desk_view.ts";
import type { UnlockingProps } from "./unlocking.tsx";

/** Codes after which another key or a card can still help; anything else asks for the same again. */
const OTHER_KEY = new Set(["unlock.key_mismatch", "seed.key", "seed.box", "seed.half"]);

export function Failed({
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

/** The bidder after the window (时限结束以后): waiting for the trustees, and the way out without them. */
import { t } from "../../i18n.ts";
import { TroubleBox } from "../../ui/refusal.tsx";
import { Act, Alarm, Button, Case, Done, Fold, Note } from "../../ui/words.tsx";
import { HallCases } from "../hall_page.tsx";
import { OpenKey } from "./key_case.tsx";
import type { UnlockingProps } from "./unlocking.tsx";

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

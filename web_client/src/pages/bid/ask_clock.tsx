/**
 * E8, the hard case (设备时钟慢): by the device's clock the deadline has not passed yet.
 *
 * Invariant: a person is asked to look at another clock, and told why; nothing was sent so far.
 */
import { t } from "../../i18n.ts";
import { clockTime, dayTime } from "../../time.ts";
import { Act, Button, Case } from "../../ui/words.tsx";
import type { UnlockState } from "./desk_view.ts";

export function AskClock({
  unlock,
  onConfirm,
  onBack,
}: {
  readonly unlock: Extract<UnlockState, { kind: "ask_clock" }>;
  readonly onConfirm: () => void;
  readonly onBack: () => void;
}) {
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
        <Act glyph="clock" isWide onPress={onConfirm}>
          {t("clock.ask_act", { time: clockTime(unlock.deadlineMs) })}
        </Act>
      </div>
      <Button onPress={onBack}>{t("clock.ask_back")}</Button>
    </Case>
  );
}

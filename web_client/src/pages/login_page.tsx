/** Login (登录): a key file, read on the device; nothing of it is sent but a signature. */
import { t } from "../i18n.ts";
import type { TenderRow } from "../net/lookups.ts";
import { type Trouble, TroubleBox } from "../ui/refusal.tsx";
import { Button, Case, Done, FilePick, Progress } from "../ui/words.tsx";
import { BackToBoard, linkFor } from "./board_page.tsx";
import { Plain, type Surroundings } from "./frame.tsx";
import { CallHelp } from "./help.tsx";

export interface LoginPageProps {
  readonly around: Surroundings;
  readonly rows: readonly TenderRow[];
  readonly isBusy: boolean;
  readonly trouble: Trouble | null;
  readonly onFile: (file: File) => void;
  readonly onLeave: () => void;
}

export function LoginPage({ around, rows, isBusy, trouble, onFile, onLeave }: LoginPageProps) {
  const { me } = around;
  return (
    <Plain around={around} title={t("login.title")}>
      {trouble && (
        <Case>
          <TroubleBox trouble={trouble} />
          <CallHelp around={around} />
        </Case>
      )}
      {me.person ? (
        <Case>
          <Done title={t("login.done", { name: me.org_name || me.name || "" })} />
          <ul class="tasks">
            {rows.map((row) => (
              <li key={row.id}>
                <div>
                  <a href={linkFor(me.role, row.id)}>{row.title}</a>
                  <p>{row.number}</p>
                </div>
              </li>
            ))}
          </ul>
          <Button onPress={onLeave}>{t("top.leave")}</Button>
        </Case>
      ) : (
        <Case title={t("login.title")} level={1}>
          <p class="lead">{t("login.lead")}</p>
          {isBusy && <Progress value={null} max={1} label={t("login.busy")} />}
          <div class="field">
            <p class="hint">{t("login.hint")}</p>
            <FilePick id="login-file" glyph="key" onPick={onFile}>
              {t("login.file")}
            </FilePick>
          </div>
          {around.isDemo && (
            <p>
              <a href="/demo">{t("login.demo")}</a>
            </p>
          )}
        </Case>
      )}
      <BackToBoard />
    </Plain>
  );
}

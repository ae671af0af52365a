/**
 * The host at the read-out (唱标): one act, the next row.
 *
 * Invariant: there is no field: the words come from the sealed forms.
 */
import { t } from "../../i18n.ts";
import { nextRow } from "../../opening/own.ts";
import { NotOpened, Reading, ReadoutTable } from "../../ui/readout.tsx";
import { Act, Button } from "../../ui/words.tsx";
import type { ControlsProps } from "./controls.tsx";
import { nextSession, READ_EACH_S } from "./host_view.ts";
import { undecided } from "./officer_view.ts";

export function ReadOutPane({ view, host, acts }: ControlsProps) {
  const row = view.rows.find((one) => one.no === view.row);
  const next = nextRow(view);
  const session = nextSession(view);
  const isClosed = view.stage === "closed";
  const left = undecided(view.acts);
  const isLast = row !== undefined && next === null;
  return (
    <>
      <section class="pane">
        {isClosed ? (
          <>
            <h2>{t("host.closed_title")}</h2>
            <p>{left > 0 ? t("host.closed_undecided", { n: left }) : t("host.closed_done")}</p>
          </>
        ) : row ? (
          <Reading view={view} row={row} />
        ) : (
          <h2>{t("host.read_title", { n: view.rows.length })}</h2>
        )}
        {host.mayAct && !isClosed && (
          <>
            {next !== null ? (
              <Act
                glyph="play"
                isWide
                id="read-next"
                isBusy={host.busy === "read_row"}
                onPress={() => acts.read(next)}
              >
                {t(row ? "host.read_next" : "host.read_first", { no: next })}
              </Act>
            ) : (
              session === null && (
                <Act
                  glyph="tick"
                  isWide
                  id="close"
                  isBusy={host.busy === "close_opening"}
                  onPress={acts.close}
                >
                  {t("host.close_act")}
                </Act>
              )
            )}
            {isLast && session !== null && (
              <Act
                glyph="play"
                isWide
                id="start-next"
                isBusy={host.busy === "start"}
                onPress={() => acts.start(session, "")}
              >
                {t("host.start_session", { session })}
              </Act>
            )}
            <div class="acts">
              {next !== null && (
                <Button
                  glyph={host.isAutomatic ? "pause" : "play"}
                  isPressed={host.isAutomatic}
                  onPress={() => acts.setAutomatic(!host.isAutomatic)}
                >
                  {t(host.isAutomatic ? "host.auto_stop" : "host.auto", { n: READ_EACH_S })}
                </Button>
              )}
              {row && (
                <Button glyph="again" onPress={() => acts.read(row.no)}>
                  {t("host.read_again")}
                </Button>
              )}
              <span class="hint">{t("host.read_hint")}</span>
              {next === null && left > 0 && (
                <span class="hint">{t("host.close_undecided", { n: left })}</span>
              )}
            </div>
          </>
        )}
      </section>
      <section class="pane">
        <ReadoutTable view={view} ownNumbers={new Set()} />
        <NotOpened view={view} />
      </section>
      <section class="pane">
        <h2>{t("bundle.title")}</h2>
        <p>{t("bundle.text")}</p>
        <p>
          <a href={`/openings/${view.id}/opening.zip`} download={`opening-${view.id}.zip`}>
            {t("bundle.download")}
          </a>
        </p>
        <p>
          <a href={`/playback/${view.id}`}>{t("playback.title")}</a>
        </p>
      </section>
    </>
  );
}

/**
 * Sealing and sending, with progress (封装与上传): what is done, what runs, what is still missing.
 *
 * Invariant: "delivered" is said only with a receipt in hand; until then the page says that there
 * is none.
 */
import { t } from "../../i18n.ts";
import { refusalText, TroubleBox } from "../../ui/refusal.tsx";
import { Button, Case, Progress, Status } from "../../ui/words.tsx";
import type { DeskActs, JobFile, SealJob } from "./desk_view.ts";
import { megabytes } from "./seal_form.tsx";

export function JobCase({ job, acts }: { readonly job: SealJob; readonly acts: DeskActs }) {
  const total = job.files.reduce((sum, file) => sum + file.size, 0);
  const sealed = job.files.reduce((sum, file) => sum + file.sealed, 0);
  const sent = job.files.reduce((sum, file) => sum + file.sent, 0);
  const isSealing = job.step === "sealing";
  // Bytes are sent while the rest is sealed; until this holds, a closed page means sealing anew.
  const isSealed = job.files.every((file) => file.state === "waiting" || file.sealed >= file.size);
  const done = isSealing ? sealed : sent;
  const percent = total === 0 ? 0 : Math.floor((done / total) * 100);
  const isMoving = !job.isPaused && (isSealing || job.step === "sending");
  const leftS = job.bytesPerS > 0 ? (total - done) / job.bytesPerS : null;
  return (
    <Case title={jobTitle(job, percent)}>
      {job.trouble && <TroubleBox trouble={job.trouble} />}
      <div>
        <Progress value={done} max={Math.max(1, total)} label={jobTitle(job, percent)} />
        <p class="row" aria-live="off">
          <b>{t("job.of", { done: megabytes(done), total: megabytes(total) })}</b>
          {leftS !== null && isMoving && <span>{leftText(leftS)}</span>}
          <span class="soft">{t(isSealing ? "job.local" : "job.resumable")}</span>
        </p>
      </div>
      <ol class="numbered">
        <li>
          <div>
            <h3 class="row">
              {t("job.seal")} {stepStatus(isSealed ? "done" : "now", t("job.sealed"))}
            </h3>
            <p class="small">{t("job.seal_text")}</p>
          </div>
        </li>
        <li>
          <div>
            <h3 class="row">
              {t("job.send")}{" "}
              {stepStatus(
                isSealing
                  ? "next"
                  : job.step === "sending" || job.step === "failed"
                    ? "now"
                    : "done",
                t("job.sent"),
              )}
            </h3>
            <FileTable files={job.files} />
            {(job.step === "sending" || job.step === "failed") && (
              <p class="acts">
                {job.isPaused || job.step === "failed" ? (
                  // The browser never reads a changed file again: it has to be chosen anew.
                  job.trouble?.code !== "seal.file_changed" && (
                    <Button glyph="play" onPress={acts.resume}>
                      {t("job.resume")}
                    </Button>
                  )
                ) : (
                  <Button glyph="pause" onPress={acts.pause}>
                    {t("job.pause")}
                  </Button>
                )}
                <Button onPress={acts.abandon}>{t("job.abandon")}</Button>
              </p>
            )}
          </div>
        </li>
        <li>
          <div>
            <h3 class="row">
              {t("job.receipt")} {stepStatus(job.step === "submitting" ? "now" : "next", "")}
            </h3>
            <p class="small">
              <b>{t("job.no_receipt")}</b> {t("job.in_time")}
            </p>
          </div>
        </li>
      </ol>
    </Case>
  );
}

function jobTitle(job: SealJob, percent: number): string {
  if (job.trouble) return refusalText(job.trouble.code, job.trouble.detail).title;
  if (job.isPaused) return t("job.paused_title", { percent });
  if (job.step === "sealing") return t("job.sealing_title", { percent });
  if (job.step === "submitting") return t("job.submitting_title");
  return t("job.sending_title", { percent });
}

function leftText(seconds: number): string {
  return seconds < 90
    ? t("job.left_s", { n: Math.max(1, Math.round(seconds)) })
    : t("job.left_min", { n: Math.round(seconds / 60) });
}

function stepStatus(state: "done" | "now" | "next", word: string) {
  if (state === "done") {
    return (
      <Status tone="go" glyph="tick">
        {word}
      </Status>
    );
  }
  if (state === "now") {
    return (
      <Status tone="wait" glyph="now">
        {t("job.running")}
      </Status>
    );
  }
  return (
    <Status tone="soft" glyph="ring">
      {t("job.not_yet")}
    </Status>
  );
}

function FileTable({ files }: { readonly files: readonly JobFile[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{t("job.envelope")}</th>
          <th scope="col" class="right">
            {t("job.size")}
          </th>
          <th scope="col">{t("job.now")}</th>
        </tr>
      </thead>
      <tbody>
        {files.map((file) => (
          <tr key={file.envelope}>
            <td>{file.name}</td>
            <td class="right nowrap">{megabytes(file.size)}</td>
            <td>
              {file.state === "here" ? (
                <Status tone="go" glyph="tick">
                  {t("job.file_here")}
                </Status>
              ) : file.state === "sending" ? (
                <Status tone="wait" glyph="now">
                  {megabytes(file.sent)}
                </Status>
              ) : (
                <Status tone="soft" glyph="ring">
                  {t(file.state === "sealing" ? "job.file_sealing" : "job.file_waiting")}
                </Status>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

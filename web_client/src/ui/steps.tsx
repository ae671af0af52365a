/** What comes when (本场流程): a rail beside the case, a strip on the host's desk, a line on phones. */
import { t } from "../i18n.ts";
import type { Step } from "../opening/steps.ts";
import { shortTime } from "../time.ts";
import { Glyph } from "./glyph.tsx";

const SIGN = { done: "tick", now: "now", next: "ring" } as const;

function StepTime({ step }: { readonly step: Step }) {
  if (step.atMs === null) return null;
  return (
    <time dateTime={new Date(step.atMs).toISOString()}>
      {step.isEstimate ? t("steps.about", { time: shortTime(step.atMs) }) : shortTime(step.atMs)}
    </time>
  );
}

export function Rail({ steps }: { readonly steps: readonly Step[] }) {
  return (
    <nav class="rail" aria-label={t("steps.title")}>
      <h2>{t("steps.title")}</h2>
      <ol>
        {steps.map((step) => (
          <li
            key={step.name}
            data-state={step.state}
            aria-current={step.state === "now" ? "step" : undefined}
          >
            <Glyph name={SIGN[step.state]} />
            <span>
              {t(`step.${step.name}`)}
              <span class="vh">{t(`steps.${step.state}`)}</span>
            </span>
            <StepTime step={step} />
          </li>
        ))}
      </ol>
      {steps.some((step) => step.isEstimate) && <p class="tiny soft">{t("steps.estimates")}</p>}
    </nav>
  );
}

export function Strip({ steps }: { readonly steps: readonly Step[] }) {
  return (
    <nav aria-label={t("steps.title")}>
      <ol class="strip">
        {steps.map((step) => (
          <li
            key={step.name}
            data-state={step.state}
            aria-current={step.state === "now" ? "step" : undefined}
          >
            {t(`strip.${step.name}`)}
            <span class="vh">{t(`steps.${step.state}`)}</span>
            <span class="strip-time">
              {step.state === "done" && <Glyph name="tick" />} <StepTime step={step} />
            </span>
          </li>
        ))}
      </ol>
    </nav>
  );
}

/** "Step 4 of 8", where there is no room for the rail. */
export function Here({ steps }: { readonly steps: readonly Step[] }) {
  const at = steps.findIndex((step) => step.state === "now");
  const now = steps[at];
  if (!now) return null;
  const next = steps[at + 1];
  return (
    <div class="here">
      <ol aria-hidden="true">
        {steps.map((step) => (
          <li key={step.name} data-state={step.state} />
        ))}
      </ol>
      <p>
        {t("steps.here", { n: at + 1, total: steps.length })}
        <b>{t(`step.${now.name}`)}</b>
        {next && (
          <span class="soft here-next"> {t("steps.then", { step: t(`step.${next.name}`) })}</span>
        )}
      </p>
    </div>
  );
}

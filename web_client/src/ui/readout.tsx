/**
 * The read-out (唱标): the row being read, large; and the table of all.
 *
 * Invariant: what is shown are the values of the sealed forms; no page has a field to change them.
 */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { locale, maybeText, t } from "../i18n.ts";
import { isOpenable } from "../opening/own.ts";
import type { OpeningView, Row } from "../opening/view.ts";
import { type Field, formEnvelope, lotName } from "../tender/manifest.ts";
import { clockTime } from "../time.ts";
import { Amount, fieldLabel, fieldText } from "./fields.tsx";
import { Glyph } from "./glyph.tsx";

export function formFields(view: OpeningView): readonly Field[] {
  if (!view.manifest) return [];
  return formEnvelope(view.manifest, view.window?.session ?? 1)?.fields ?? [];
}

export function Reading({ view, row }: { readonly view: OpeningView; readonly row: Row }) {
  const fields = formFields(view);
  const deciding = fields.find((field) => field.decides);
  const at = view.rows.indexOf(row) + 1;
  return (
    <div class="reading">
      <p class="row">
        <span class="tag solid">
          <Glyph name="sound" />
          {t("readout.reading")}
        </span>
        <b>{t("readout.place", { no: row.no, at, total: view.rows.length })}</b>
      </p>
      <p class="reading-firm">{row.bidder.name}</p>
      {deciding && <Amount field={deciding} value={row.fields[deciding.name]} />}
      <p class="row">
        {fields
          .filter((field) => !field.decides)
          .map((field) => (
            <span key={field.name}>
              {fieldLabel(field)} {fieldText(field, row.fields[field.name])}
            </span>
          ))}
      </p>
    </div>
  );
}

export interface ReadoutTableProps {
  readonly view: OpeningView;
  readonly ownNumbers: ReadonlySet<number>;
}

/** Drawn anew when something was opened or read, not with every tick of the clock. */
export function ReadoutTable({ view, ownNumbers }: ReadoutTableProps) {
  const own = [...ownNumbers].join();
  return useMemo(
    () => <ReadoutRows view={view} ownNumbers={ownNumbers} />,
    [view, own, locale.value],
  );
}

/** So many rows are shown whole; a longer table scrolls in its place. */
const ROWS_WHOLE = 30;

function ReadoutRows({ view, ownNumbers }: ReadoutTableProps) {
  const fields = formFields(view);
  const deciding = fields.find((field) => field.decides);
  const extras = fields.filter((field) => !field.decides);
  const manifest = view.manifest;
  const hasLots = (manifest?.lots.length ?? 0) > 1;
  const current = useRef<HTMLTableRowElement>(null);
  // Keeps the row being read in sight without moving the page of somebody who reads elsewhere.
  useEffect(() => {
    const row = current.current;
    const scroller = row?.closest(".readout-scroll");
    if (!row || !scroller || scroller.scrollHeight <= scroller.clientHeight) return;
    scroller.scrollTop = row.offsetTop - scroller.clientHeight / 2;
  }, [view.row]);
  if (!deciding) return null;
  const scroll = view.rows.length > ROWS_WHOLE ? "readout-scroll long" : "readout-scroll";
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class={scroll} tabIndex={0} aria-label={t("readout.table")}>
      <table class="readout">
        <caption class="vh">{t("readout.table")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("readout.no")}</th>
            <th scope="col">{t("readout.bidder")}</th>
            <th scope="col" class="right">
              {fieldLabel(deciding)}
            </th>
            {extras.map((field) => (
              <th scope="col" key={field.name}>
                {fieldLabel(field)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {view.rows.map((row) => {
            const isNow = row.no === view.row && view.stage === "read_out";
            const isOwn = ownNumbers.has(row.no);
            const readMs = view.readMs[row.no];
            return (
              <tr
                key={row.bidId}
                ref={isNow ? current : null}
                class={[isNow && "now", isOwn && "own"].filter(Boolean).join(" ") || undefined}
                aria-current={isNow ? "true" : undefined}
              >
                <td>{row.no}</td>
                <td>
                  {row.bidder.name}
                  {hasLots && manifest && (
                    <span class="tiny soft"> {lotName(manifest, row.lot)}</span>
                  )}
                  {isNow && (
                    <span class="status wait nowrap">
                      {" "}
                      <Glyph name="sound" />
                      {t("readout.reading")}
                    </span>
                  )}
                  {isOwn && (
                    <span class="small own-line">
                      {readMs === undefined
                        ? t("readout.own")
                        : t("readout.own_read", { time: clockTime(readMs) })}
                    </span>
                  )}
                </td>
                <td class="right nowrap">{fieldText(deciding, row.fields[deciding.name])}</td>
                {extras.map((field) => (
                  <td key={field.name} class="extra" data-label={fieldLabel(field)}>
                    {fieldText(field, row.fields[field.name])}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

/** Bids that did not open, each with its word; nothing when all opened. */
export function NotOpened({ view }: { readonly view: OpeningView }) {
  const fields = formFields(view);
  const form = view.manifest?.envelopes.find((one) => one.fields === fields);
  const closed = view.bids.flatMap((bid) => {
    const id = form ? bid.envelopes[form.envelope] : undefined;
    const state = id === undefined ? undefined : view.states[id];
    return state === undefined || state === "opened"
      ? []
      : [{ bid, state, decision: view.acts.decisions[id ?? ""] }];
  });
  if (closed.length === 0) return null;
  return (
    <div>
      <h2 class="minor">{t("readout.not_opened", { n: closed.length })}</h2>
      <ul class="tasks">
        {closed.map(({ bid, state, decision }) => (
          <li key={bid.no}>
            <div>
              <b>{t("readout.no_name", { no: bid.no, name: bid.name })}</b>
              <p>{stateText(isOpenable(view, bid) ? state : "lot_failed")}</p>
              {decision && (
                <p>
                  <b>{maybeText(`ground.${decision.ground}`) ?? decision.ground}</b>{" "}
                  {decision.reason}
                </p>
              )}
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}

const STATES = ["opened", "locked", "lot_failed", "unrecoverable", "damaged", "malformed"] as const;

export function stateText(state: string): string {
  const known = STATES.find((one) => one === state);
  return known ? t(`state.${known}`) : state;
}

/**
 * The bidder at the read-out (唱标): own values first, the table second.
 *
 * Invariant: whether the row equals what this device sealed is decided by comparing hashes, and
 * said; the page asks nobody to trust it.
 */
import { t } from "../../i18n.ts";
import type { Bid, OpeningView } from "../../opening/view.ts";
import { clockTime } from "../../time.ts";
import { Amount, fieldLabel, fieldText } from "../../ui/fields.tsx";
import { formFields, stateText } from "../../ui/readout.tsx";
import { Alarm, Case, Facts, Status } from "../../ui/words.tsx";
import type { Surroundings } from "../frame.tsx";
import { HallCases } from "../hall_page.tsx";
import type { DeskView } from "./desk_view.ts";

export interface OwnReadOutProps {
  readonly view: OpeningView;
  readonly desk: DeskView;
  readonly around: Surroundings;
  readonly bids: readonly Bid[];
}

export function OwnReadOut({ view, desk, around, bids }: OwnReadOutProps) {
  const own = new Set(bids.map((bid) => bid.no));
  return (
    <>
      {bids.map((bid) => (
        <OwnRow key={bid.no} view={view} desk={desk} bid={bid} />
      ))}
      <HallCases view={view} around={around} ownNumbers={own} />
    </>
  );
}

function OwnRow({
  view,
  desk,
  bid,
}: {
  readonly view: OpeningView;
  readonly desk: DeskView;
  readonly bid: Bid;
}) {
  const fields = formFields(view);
  const row = view.rows.find((one) => one.no === bid.no);
  if (!row) return <NotOpen view={view} bid={bid} />;
  const same = desk.sameAsSealed[row.bidId];
  const readMs = view.readMs[bid.no];
  return (
    <Case title={t("own.title")}>
      {same === false && (
        <Alarm title={t("own.differs_title")}>
          <p>{t("own.differs")}</p>
        </Alarm>
      )}
      <Facts
        rows={[
          ...fields.map(
            (field) =>
              [
                fieldLabel(field),
                field.decides ? (
                  <Amount key={field.name} field={field} value={row.fields[field.name]} isMid />
                ) : (
                  fieldText(field, row.fields[field.name])
                ),
              ] as const,
          ),
          [
            t("own.compared"),
            same === undefined ? (
              t("own.not_compared")
            ) : (
              <Status key="same" tone={same ? "go" : "stop"} glyph={same ? "tick" : "fail"}>
                {t(same ? "own.same" : "own.differs_short")}
              </Status>
            ),
          ],
          [
            t("own.read"),
            readMs === undefined
              ? t("own.not_read_yet", { no: bid.no })
              : t("own.read_at", { time: clockTime(readMs) }),
          ],
        ]}
      />
      <p class="small soft">{t("own.sealed_source")}</p>
    </Case>
  );
}

function NotOpen({ view, bid }: { readonly view: OpeningView; readonly bid: Bid }) {
  const form = view.manifest?.envelopes.find((one) => one.kind === "form");
  const id = form ? bid.envelopes[form.envelope] : undefined;
  const state = id === undefined ? undefined : view.states[id];
  if (state === undefined || state === "opened") return null;
  return (
    <Case>
      <Alarm title={t("own.not_opened")}>
        <p>
          <b>{stateText(state)}</b>
        </p>
        <p>{t("own.not_opened_todo")}</p>
      </Alarm>
    </Case>
  );
}

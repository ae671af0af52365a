/**
 * The bid has arrived (投标已送达): receipt, unlock cards, replacing, withdrawing.
 *
 * Invariant: a receipt is shown as valid only after this device has checked it; withdrawing has a
 * page of its own and says what it does before its button.
 */
import { useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import type { Manifest } from "../../tender/manifest.ts";
import { lotName } from "../../tender/manifest.ts";
import { dayTime, proofTime } from "../../time.ts";
import { Qr } from "../../ui/qr.tsx";
import { Act, Button, Case, Done, Facts, Fold, Note, Status } from "../../ui/words.tsx";
import type { DeskActs, DeskView, OwnSubmit, UnlockCard } from "./desk_view.ts";
import { megabytes } from "./seal_form.tsx";

export interface DeliveredProps {
  readonly desk: DeskView;
  readonly acts: DeskActs;
  readonly manifest: Manifest;
  readonly bid: OwnSubmit;
  readonly bidderName: string;
  readonly deadlineMs: number;
  readonly nowMs: number;
  readonly onReplace: (() => void) | null;
  readonly onWithdraw: (() => void) | null;
}

export function Delivered(props: DeliveredProps) {
  const { desk, acts, manifest, bid, bidderName, deadlineMs, nowMs, onReplace, onWithdraw } = props;
  const receipt = desk.receipts.find((one) => one.sha256 === bid.sha256);
  const envelopes = desk.envelopes.filter((one) => bid.bidIds.includes(one.bidId));
  const isOpen = nowMs < deadlineMs;
  return (
    <Case>
      <Done title={t("delivered.title")}>
        <p>
          {t("delivered.at", {
            time: `${dayTime(bid.receivedMs).slice(0, 10)} ${proofTime(bid.receivedMs)}`,
          })}
        </p>
        <p>{t(isOpen ? "delivered.open" : "delivered.closed")}</p>
      </Done>
      <Facts
        rows={[
          [t("fact.bidder"), bidderName],
          manifest.lots.length > 1 && [t("seal.lot"), lotName(manifest, bid.lot)],
          [
            t("delivered.size"),
            t("delivered.envelopes", {
              size: megabytes(envelopes.reduce((sum, one) => sum + one.bytes, 0)),
              n: envelopes.length,
            }),
          ],
          [t("delivered.version"), t("delivered.version_n", { n: bid.seq })],
          [
            t("delivered.receipt"),
            receipt ? (
              <span class="row" key="r">
                {receipt.isValid ? (
                  <Status tone="go" glyph="tick">
                    {t("delivered.receipt_checked")}
                  </Status>
                ) : (
                  <Status tone="stop" glyph="fail">
                    {t("delivered.receipt_bad", { code: receipt.fault })}
                  </Status>
                )}
                <button
                  type="button"
                  class="linklike"
                  onClick={() => acts.download(receipt.name, receipt.file)}
                >
                  {t("delivered.download")}
                </button>
              </span>
            ) : (
              t("delivered.receipt_coming")
            ),
          ],
          [
            t("delivered.digest"),
            <span class="code" key="d">
              {grouped4(bid.sha256)}
            </span>,
          ],
        ]}
      />
      <p class="small soft">{t("delivered.proves")}</p>
      <div class="acts no-print">
        {desk.cards.length === 0 && (
          <Button glyph="key" onPress={acts.showCards}>
            {t("card.show")}
          </Button>
        )}
        {isOpen && onReplace && (
          <Button glyph="again" onPress={onReplace}>
            {t("delivered.replace")}
          </Button>
        )}
        {isOpen && onWithdraw && (
          <button type="button" class="linklike" onClick={onWithdraw}>
            {t("delivered.withdraw")}
          </button>
        )}
      </div>
    </Case>
  );
}

function grouped4(hex: string): string {
  return (hex.toUpperCase().match(/.{1,4}/g) ?? []).join(" ");
}

/** One sheet with every envelope's card; its QR holds all of them, one a line (C8). */
export function CardSheet({
  cards,
  manifest,
  bidderName,
  address,
}: {
  readonly cards: readonly UnlockCard[];
  readonly manifest: Manifest;
  readonly bidderName: string;
  /** Where the card is used, as it is typed into a browser. */
  readonly address: string;
}) {
  const print = () => {
    document.body.classList.add("printing-card");
    addEventListener("afterprint", () => document.body.classList.remove("printing-card"), {
      once: true,
    });
    globalThis.print();
  };
  return (
    <div class="case card-case">
      <h2 class="no-print">{t("card.title")}</h2>
      <p class="no-print">{t("card.why")}</p>
      <div class="document card-document">
        <h2 lang="zh-CN">{t("card.name")}</h2>
        <Facts
          rows={[
            [
              t("fact.project"),
              <span key="p">
                {manifest.title} <span class="whole">{manifest.number}</span>
              </span>,
            ],
            [t("fact.bidder"), bidderName],
          ]}
        />
        <div class="card-sheet">
          <Qr text={cards.map((card) => card.text).join("\n")} label={t("card.qr")} />
          <div class="stack">
            {cards.map((card) => (
              <div key={`${card.lot} ${card.envelope}`}>
                <h3>
                  {manifest.lots.length > 1 ? `${lotName(manifest, card.lot)} ` : ""}
                  {card.envelopeName}
                </h3>
                <p class="card-groups">
                  {card.text.split(" ").map((group, at) => (
                    <span key={at}>{group}</span>
                  ))}
                </p>
              </div>
            ))}
          </div>
        </div>
        <p>{t("card.where", { address })}</p>
        <p>
          <b>{t("card.warning")}</b>
        </p>
      </div>
      <div class="acts no-print">
        <Button glyph="print" onPress={print}>
          {t("card.print")}
        </Button>
      </div>
    </div>
  );
}

/** Withdrawing (撤回) has a page of its own. */
export function Withdraw({
  lot,
  acts,
  onBack,
}: {
  readonly lot: number;
  readonly acts: DeskActs;
  readonly onBack: () => void;
}) {
  const [isSure, setSure] = useState(false);
  return (
    <Case title={t("withdraw.title")}>
      <p class="lead">{t("withdraw.what")}</p>
      <Note tone="wait">{t("withdraw.note")}</Note>
      <label class="pick">
        <input
          type="checkbox"
          checked={isSure}
          onChange={(event) => setSure(event.currentTarget.checked)}
        />
        <span>{t("withdraw.sure")}</span>
      </label>
      <div class="acts">
        <Act
          isDanger
          id="withdraw"
          blocked={isSure ? null : t("withdraw.tick_first")}
          onPress={() => {
            acts.withdraw(lot);
            onBack();
          }}
        >
          {t("withdraw.act")}
        </Act>
        <Button onPress={onBack}>{t("withdraw.back")}</Button>
      </div>
      <Fold title={t("withdraw.law_title")}>
        <p>{t("withdraw.law")}</p>
      </Fold>
    </Case>
  );
}

/**
 * The form and the files of a bid (开标一览表、投标文件), before they are sealed.
 *
 * Invariant: nothing typed here is sent anywhere: the device seals it first. An amount is shown in
 * words beside its figures, and never rounded.
 */
import { useState } from "preact/hooks";
import type { StoredSeal } from "../../crypto/seal_protocol.ts";
import { locale, t } from "../../i18n.ts";
import { grouped, inWords, typedAmount } from "../../money.ts";
import type { OpeningView } from "../../opening/view.ts";
import { type Field, formEnvelope, type Manifest } from "../../tender/manifest.ts";
import { fieldLabel } from "../../ui/fields.tsx";
import { Act, Case, Facts, FilePick, Fold } from "../../ui/words.tsx";
import { TrusteeNames } from "../hall_page.tsx";
import type { DeskActs, SealInput } from "./desk_view.ts";

const MEGABYTE = 1024 * 1024;

/** Sizes as people say them (兆). */
export function megabytes(bytes: number): string {
  const value = bytes / MEGABYTE;
  if (bytes > 0 && value < 0.05) return t("unit.megabytes_little");
  return t("unit.megabytes", { n: value.toFixed(value >= 100 ? 0 : 1) });
}

/** What is wrong with a typed value, as a sentence; null when it is fine. */
export function fieldFault(field: Field, typed: string): string | null {
  const text = typed.trim();
  if (text === "") return field.optional ? null : t("seal.missing", { field: fieldLabel(field) });
  switch (field.type) {
    case "money":
      return typedAmount(text) === null ? t("seal.bad_money") : null;
    case "days": {
      const days = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.NaN;
      const max = field.max ?? 36_500;
      return days >= 1 && days <= max ? null : t("seal.bad_days", { max });
    }
    case "rate":
      return new RegExp(`^(0|[1-9][0-9]{0,5})\\.[0-9]{${field.digits ?? 2}}$`).test(text)
        ? null
        : t("seal.bad_rate", { digits: field.digits ?? 2 });
    case "text":
      return [...text].length <= (field.max ?? 2000)
        ? null
        : t("seal.bad_text", { max: field.max ?? 2000 });
  }
}

function sealedValue(field: Field, typed: string): string | number | null {
  const text = typed.trim().normalize("NFC");
  if (text === "") return null;
  if (field.type === "money") return typedAmount(text);
  if (field.type === "days") return Number(text);
  return text;
}

export interface SealFormProps {
  readonly manifest: Manifest;
  readonly view: OpeningView;
  readonly bidderName: string;
  readonly isReplacing: boolean;
  readonly stored: readonly StoredSeal[];
  readonly acts: DeskActs;
  readonly onCancel: (() => void) | null;
}

export function SealForm({
  manifest,
  view,
  bidderName,
  isReplacing,
  stored: everyStored,
  acts,
  onCancel,
}: SealFormProps) {
  const form = formEnvelope(manifest, 1);
  const fields = form?.fields ?? [];
  const bodies = manifest.envelopes.filter((envelope) => envelope.kind === "body");
  const [lot, setLot] = useState(manifest.lots[0]?.lot ?? 0);
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const [files, setFiles] = useState<ReadonlyMap<number, File>>(new Map());
  const [isTried, setTried] = useState(false);
  const faults = new Map(
    fields.map((field) => [field.name, fieldFault(field, typed[field.name] ?? "")]),
  );
  const tooBig = bodies.filter((body) => (files.get(body.envelope)?.size ?? 0) >= body.pt_len_max);
  const stored = new Map(
    everyStored.filter((one) => one.lot === lot).map((one) => [one.envelope, one] as const),
  );
  const missing = bodies.filter((body) => !files.has(body.envelope) && !stored.has(body.envelope));
  const isReady = [...faults.values()].every((fault) => fault === null);
  const seal = () => {
    setTried(true);
    if (!isReady || missing.length > 0 || tooBig.length > 0) {
      document.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
      return;
    }
    const values: Record<string, string | number> = {};
    for (const field of fields) {
      const value = sealedValue(field, typed[field.name] ?? "");
      if (value !== null) values[field.name] = value;
    }
    acts.seal({ lot, fields: values, files, stored } satisfies SealInput);
  };
  return (
    <Case title={t(isReplacing ? "seal.replace_title" : "seal.title")}>
      <p class="lead">{t(isReplacing ? "seal.replace" : "seal.lead")}</p>
      <Facts
        rows={[
          [t("fact.bidder"), bidderName],
          [t("fact.project"), `${manifest.title} ${manifest.number}`],
        ]}
      />
      {manifest.lots.length > 1 && (
        <div class="field">
          <label for="lot">{t("seal.lot")}</label>
          <select
            id="lot"
            value={String(lot)}
            onChange={(event) => setLot(Number(event.currentTarget.value))}
          >
            {manifest.lots.map((one) => (
              <option key={one.lot} value={String(one.lot)}>
                {one.name}
              </option>
            ))}
          </select>
        </div>
      )}
      <h3>{form?.name}</h3>
      {fields.map((field) => (
        <FieldInput
          key={field.name}
          field={field}
          value={typed[field.name] ?? ""}
          fault={isTried ? (faults.get(field.name) ?? null) : null}
          onType={(text) => setTyped({ ...typed, [field.name]: text })}
        />
      ))}
      {bodies.map((body) => (
        <FileInput
          key={body.envelope}
          id={`file-${body.envelope}`}
          name={body.name}
          max={body.pt_len_max}
          file={files.get(body.envelope) ?? null}
          stored={stored.get(body.envelope) ?? null}
          fault={
            isTried && missing.includes(body)
              ? t("seal.file_missing")
              : tooBig.includes(body)
                ? t("seal.file_big", { max: megabytes(body.pt_len_max) })
                : null
          }
          onPick={(file) => setFiles(new Map(files).set(body.envelope, file))}
        />
      ))}
      <Fold title={t("seal.trustees_title")}>
        <p>{t("seal.trustees")}</p>
        <TrusteeNames view={view} />
      </Fold>
      {isTried && !(isReady && missing.length === 0 && tooBig.length === 0) && (
        <p class="field-error" role="alert">
          {t("seal.not_ready")}
        </p>
      )}
      <div class="acts">
        <Act glyph="lock" onPress={seal}>
          {t(isReplacing ? "seal.replace_act" : "seal.act")}
        </Act>
        {onCancel && (
          <button type="button" class="btn" onClick={onCancel}>
            {t("seal.cancel")}
          </button>
        )}
      </div>
      <p class="hint">{t("seal.after")}</p>
    </Case>
  );
}

function FieldInput({
  field,
  value,
  fault,
  onType,
}: {
  readonly field: Field;
  readonly value: string;
  readonly fault: string | null;
  readonly onType: (text: string) => void;
}) {
  const id = `field-${field.name}`;
  const amount = field.type === "money" ? typedAmount(value) : null;
  return (
    <div class="field">
      <label for={id}>
        {fieldLabel(field)}
        {field.optional && <span class="soft"> {t("seal.optional")}</span>}
      </label>
      <p class="hint" id={`${id}-hint`}>
        {t(`seal.hint_${field.type}`, { digits: field.digits ?? 2, max: field.max ?? 0 })}
      </p>
      <input
        id={id}
        type="text"
        inputMode={field.type === "text" ? "text" : field.type === "days" ? "numeric" : "decimal"}
        autocomplete="off"
        lang={locale.value}
        aria-describedby={`${id}-hint ${id}-words`}
        aria-invalid={fault === null ? undefined : "true"}
        value={value}
        onInput={(event) => onType(event.currentTarget.value)}
      />
      <div id={`${id}-words`} aria-live="polite">
        {amount !== null && (
          <>
            <p class="big">
              <b>{t("field.yuan", { amount: grouped(amount) })}</b>
            </p>
            <p class="said" lang="zh-CN">
              {inWords(amount)}
            </p>
          </>
        )}
        {fault !== null && <p class="field-error">{fault}</p>}
      </div>
    </div>
  );
}

function FileInput({
  id,
  name,
  max,
  file,
  stored,
  fault,
  onPick,
}: {
  readonly id: string;
  readonly name: string;
  readonly max: number;
  readonly file: File | null;
  readonly stored: StoredSeal | null;
  readonly fault: string | null;
  readonly onPick: (file: File) => void;
}) {
  const [isOver, setOver] = useState(false);
  return (
    <fieldset
      class={isOver ? "field drop over" : "field drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const dropped = event.dataTransfer?.files[0];
        if (dropped) onPick(dropped);
      }}
    >
      <p>
        <b>{name}</b>
      </p>
      <p class="hint">{t("seal.file_hint", { max: megabytes(max) })}</p>
      <FilePick id={id} isInvalid={fault !== null} onPick={onPick}>
        {t(file ? "seal.file_other" : "seal.file_pick", { name })}
      </FilePick>
      {file && (
        <p>
          <b>{file.name}</b> {megabytes(file.size)}
        </p>
      )}
      {!file && stored && (
        <p>{t("seal.stored", { name: stored.file_name, size: megabytes(stored.payload_size) })}</p>
      )}
      {fault !== null && <p class="field-error">{fault}</p>}
    </fieldset>
  );
}

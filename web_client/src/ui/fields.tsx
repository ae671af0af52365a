/** Values of a form as people read them (开标一览表): money grouped and in words, days, percents. */
import { locale, t } from "../i18n.ts";
import { grouped, inWords } from "../money.ts";
import type { Field } from "../tender/manifest.ts";

export function fieldLabel(field: Field): string {
  return locale.value === "en" ? field.label.en : field.label.zh;
}

export function fieldText(field: Field, value: string | number | undefined): string {
  if (value === undefined) return t("field.absent");
  switch (field.type) {
    case "money":
      return t("field.yuan", { amount: grouped(String(value)) });
    case "days":
      return t("field.days", { n: Number(value) });
    case "rate":
      return t("field.percent", { rate: String(value) });
    case "text":
      return String(value);
  }
}

/** The deciding amount: large, and in words where it is money. */
export function Amount({
  field,
  value,
  isMid = false,
}: {
  readonly field: Field;
  readonly value: string | number | undefined;
  readonly isMid?: boolean;
}) {
  const words = field.type === "money" ? inWords(String(value ?? "")) : "";
  return (
    <>
      <p class={isMid ? "amount mid" : "amount"}>{fieldText(field, value)}</p>
      {words !== "" && (
        <p class="said" lang="zh-CN">
          {words}
        </p>
      )}
    </>
  );
}

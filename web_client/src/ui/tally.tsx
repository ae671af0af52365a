/**
 * Two halves (符): the box of two keys, the rack of all bidders, the host's flaps.
 *
 * Invariant: states differ by shape first, stand beside a word or number, and are ordered by the
 * bid's number: the order of arrival is information and is never shown.
 */
import type { ComponentChildren } from "preact";
import { t } from "../i18n.ts";
import type { TallyState } from "../opening/own.ts";
import { Glyph, type GlyphName } from "./glyph.tsx";

export interface Half {
  readonly title: string;
  readonly state: ComponentChildren;
  readonly more?: ComponentChildren;
  readonly isGiven: boolean;
}

export function TwoHalves({ own, kept }: { readonly own: Half; readonly kept: Half }) {
  return (
    <section class="halves" aria-label={t("halves.name")}>
      {[own, kept].map((half) => (
        <div key={half.title} class={half.isGiven ? "given" : undefined}>
          <p>{half.title}</p>
          <p class="halves-state">
            {half.isGiven && <Glyph name="tick" />}
            {half.state}
          </p>
          {half.more !== undefined && <p>{half.more}</p>}
        </div>
      ))}
    </section>
  );
}

export interface RackItem {
  readonly no: number;
  readonly name: string;
  readonly state: TallyState;
  readonly isOwn: boolean;
}

const RACK_MAX = 300;

export function Rack({ items }: { readonly items: readonly RackItem[] }) {
  const shown =
    items.length <= RACK_MAX ? items : items.filter((item) => item.isOwn || item.state === "fail");
  return (
    <>
      {shown.length < items.length && <p class="small soft">{t("rack.exceptions_only")}</p>}
      <ol class={items.length > 67 ? "rack dense" : "rack"}>
        {shown.map((item) => (
          <li
            key={item.no}
            class={item.isOwn ? `${item.state} own` : item.state}
            title={`${item.name} ${t(`tally.${item.state}`)}`}
          >
            <Glyph name={item.state} />
            {item.no}
            <span class="vh">
              {t("rack.item", { name: item.name, state: t(`tally.${item.state}`) })}
            </span>
          </li>
        ))}
      </ol>
      <Legend states={[...new Set(items.map((item) => item.state))]} />
    </>
  );
}

const TONE: Readonly<Record<TallyState, string>> = {
  sealed: "soft",
  half: "go",
  open: "go",
  fail: "stop",
  gone: "soft",
};

function Legend({ states }: { readonly states: readonly TallyState[] }) {
  return (
    <p class="legend" aria-hidden="true">
      {states.map((state) => (
        <span key={state} class={`status ${TONE[state]}`}>
          <Glyph name={state} />
          {t(`tally.${state}`)}
        </span>
      ))}
    </p>
  );
}

export interface Flap {
  readonly no: number;
  readonly name: string;
  readonly glyph: GlyphName;
  readonly word: string;
  readonly tone: "soft" | "go" | "stop" | "wait";
}

/** The host's board: everybody, with name and time, in columns. */
export function Flaps({ flaps }: { readonly flaps: readonly Flap[] }) {
  return (
    <ol class={flaps.length > 30 ? "flaps" : "flaps few"}>
      {flaps.map((flap) => (
        <li key={flap.no} class={flap.tone}>
          <span class="flap-no">{flap.no}</span>
          <span class="flap-name" title={flap.name}>
            {shortName(flap.name)}
          </span>
          <Glyph name={flap.glyph} />
          <span class="flap-word">{flap.word}</span>
        </li>
      ))}
    </ol>
  );
}

const LEGAL_FORM = /(股份有限公司|有限责任公司|集团有限公司|有限公司)$/;

/** The telling part of a firm's name; the whole stays in the title and in every record. */
export function shortName(name: string): string {
  const short = name.replace(LEGAL_FORM, (form) => (form === "集团有限公司" ? "集团" : ""));
  return short.length > 1 ? short : name;
}

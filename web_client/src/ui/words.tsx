/**
 * Words with a weight of their own: cases, acts, notes, alarms (文书与动作).
 *
 * Invariant: one solid green act per screen, red only for what is wrong, and an act that cannot be
 * done now stays focusable and says why.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Glyph, type GlyphName } from "./glyph.tsx";

interface WithChildren {
  readonly children?: ComponentChildren;
}

/** One white sheet per question that the reader has. */
export function Case({
  title,
  level = 2,
  children,
}: WithChildren & { readonly title?: ComponentChildren; readonly level?: 1 | 2 }) {
  const Heading = level === 1 ? "h1" : "h2";
  return (
    <section class="case">
      {title !== undefined && <Heading class="case-title">{title}</Heading>}
      {children}
    </section>
  );
}

export interface ActProps extends WithChildren {
  readonly glyph?: GlyphName;
  readonly onPress: () => void;
  readonly isWide?: boolean;
  readonly isDanger?: boolean;
  /** Why it cannot be done now; it then stays focusable and says so. */
  readonly blocked?: string | null;
  readonly isBusy?: boolean;
  readonly id?: string;
}

export function Act(props: ActProps) {
  const { glyph, onPress, isWide, isDanger, blocked = null, isBusy = false, children, id } = props;
  const isOff = blocked !== null || isBusy;
  const why = blocked !== null ? `${id ?? "act"}-why` : undefined;
  const classes = ["act", isWide && "wide", isDanger && "danger"].filter(Boolean).join(" ");
  return (
    <>
      <button
        type="button"
        class={classes}
        id={id}
        aria-disabled={isOff ? "true" : undefined}
        aria-busy={isBusy ? "true" : undefined}
        aria-describedby={why}
        onClick={() => {
          if (!isOff) onPress();
        }}
      >
        {glyph && <Glyph name={glyph} />}
        <span>{children}</span>
      </button>
      {blocked !== null && (
        <p class="hint" id={why}>
          {blocked}
        </p>
      )}
    </>
  );
}

export interface ButtonProps extends WithChildren {
  readonly glyph?: GlyphName;
  readonly onPress: () => void;
  readonly isPressed?: boolean;
  readonly isExpanded?: boolean;
  readonly isOff?: boolean;
}

export function Button({ glyph, onPress, isPressed, isExpanded, isOff, children }: ButtonProps) {
  return (
    <button
      type="button"
      class="btn"
      aria-pressed={isPressed === undefined ? undefined : isPressed}
      aria-expanded={isExpanded === undefined ? undefined : isExpanded}
      disabled={isOff === true}
      onClick={onPress}
    >
      {glyph && <Glyph name={glyph} />}
      <span>{children}</span>
    </button>
  );
}

type Tone = "go" | "wait" | "stop" | "soft";

/** A state in a word: sign and colour only help it. */
export function Status({
  tone,
  glyph,
  children,
}: WithChildren & { readonly tone: Tone; readonly glyph: GlyphName }) {
  return (
    <span class={`status ${tone}`}>
      <Glyph name={glyph} />
      {children}
    </span>
  );
}

export function Note({
  tone,
  children,
}: WithChildren & { readonly tone?: "go" | "wait" | "info" }) {
  return <div class={tone ? `note ${tone}` : "note"}>{children}</div>;
}

/** What has just replaced the pressed button takes the focus that the button lost. */
function useLostFocus() {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const isLost = document.activeElement === document.body || document.activeElement === null;
    if (isLost && navigator.userActivation?.hasBeenActive) {
      heading.current?.focus({ preventScroll: true });
    }
  }, []);
  return heading;
}

/** Something is wrong: what, whether the bid is safe, what to do. Read out at once. */
export function Alarm({
  title,
  glyph = "fail",
  children,
}: WithChildren & { readonly title: ComponentChildren; readonly glyph?: GlyphName }) {
  const heading = useLostFocus();
  return (
    <div class="alarm" role="alert">
      <h2 ref={heading} tabIndex={-1}>
        <Glyph name={glyph} />
        <span>{title}</span>
      </h2>
      {children}
    </div>
  );
}

export function Done({
  title,
  glyph = "tick",
  children,
}: WithChildren & { readonly title: ComponentChildren; readonly glyph?: GlyphName }) {
  const heading = useLostFocus();
  return (
    <div class="done" role="status">
      <h2 ref={heading} tabIndex={-1}>
        <Glyph name={glyph} />
        <span>{title}</span>
      </h2>
      {children}
    </div>
  );
}

/** A question answered in full when opened. */
export function Fold({
  title,
  children,
  isOpen = false,
}: WithChildren & { readonly title: ComponentChildren; readonly isOpen?: boolean }) {
  return (
    <details open={isOpen}>
      <summary>{title}</summary>
      <div class="fold">{children}</div>
    </details>
  );
}

export function Facts({
  rows,
}: {
  readonly rows: readonly (readonly [ComponentChildren, ComponentChildren] | false | null)[];
}) {
  return (
    <dl class="facts">
      {rows.map(
        (row, at) =>
          row && (
            <div key={at}>
              <dt>{row[0]}</dt>
              <dd>{row[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** A file to choose, as a button in the page's own language. */
export function FilePick({
  id,
  accept,
  isCamera = false,
  isInvalid = false,
  glyph = "doc",
  onPick,
  children,
}: WithChildren & {
  readonly id: string;
  readonly accept?: string;
  readonly isCamera?: boolean;
  readonly isInvalid?: boolean;
  readonly glyph?: GlyphName;
  readonly onPick: (file: File) => void;
}) {
  return (
    <span class="pick-file">
      <input
        id={id}
        class="vh"
        type="file"
        {...(accept === undefined ? {} : { accept })}
        {...(isCamera ? { capture: "environment" as const } : {})}
        aria-invalid={isInvalid ? "true" : undefined}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          // The same file may be chosen again after it was mended.
          event.currentTarget.value = "";
          if (file) onPick(file);
        }}
      />
      <label class="btn" for={id}>
        <Glyph name={glyph} />
        <span>{children}</span>
      </label>
    </span>
  );
}

export function Progress({
  value,
  max,
  label,
}: {
  readonly value: number | null;
  readonly max: number;
  readonly label: string;
}) {
  return (
    <progress aria-label={label} max={max} {...(value === null ? {} : { value })}>
      {label}
    </progress>
  );
}

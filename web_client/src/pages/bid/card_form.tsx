/**
 * Typing or photographing an unlock card (解锁卡): one line per envelope, as the sheet has them.
 *
 * Invariant: what was typed is kept by the desk, not by the form: it outlives a failed try.
 */
import { useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import { FilePick, Status } from "../../ui/words.tsx";
import type { DeskActs, DeskView } from "./desk_view.ts";

export function CardForm({
  desk,
  acts,
  isFirst = false,
}: {
  readonly desk: Pick<DeskView, "cardText" | "unlock">;
  readonly acts: Pick<DeskActs, "typeCard" | "unlockByCard" | "readCardPhoto">;
  readonly isFirst?: boolean;
}) {
  const text = desk.cardText;
  const setText = acts.typeCard;
  const [photo, setPhoto] = useState<"none" | "busy" | "read" | "unreadable">("none");
  const isBusy = desk.unlock.kind === "checking" || desk.unlock.kind === "sending";
  const submit = () => {
    if (text.trim() !== "" && !isBusy) acts.unlockByCard(false);
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div class="field">
        <FilePick
          id="card-photo"
          accept="image/*"
          isCamera
          glyph="camera"
          onPick={async (file) => {
            setPhoto("busy");
            const read = await acts.readCardPhoto(file);
            setPhoto(read === null ? "unreadable" : "read");
            if (read !== null) setText(read);
          }}
        >
          {t("card.photo")}
        </FilePick>
        <p aria-live="polite">
          {photo === "busy" && t("card.photo_busy")}
          {photo === "read" && text !== "" && (
            <Status tone="go" glyph="tick">
              {t("card.photo_read", { n: text.trim().split(/\n+/).length })}
            </Status>
          )}
          {photo === "unreadable" && <span class="field-error">{t("card.photo_unreadable")}</span>}
        </p>
      </div>
      <div class="field">
        <label for="card-text">{t("card.input")}</label>
        <p class="hint">{t("card.input_hint")}</p>
        <textarea
          id="card-text"
          class="code"
          rows={3}
          autocapitalize="characters"
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </div>
      <div class={isFirst && text !== "" ? "thumb" : undefined}>
        {isFirst ? (
          <button
            type="submit"
            class="act wide"
            aria-disabled={text.trim() === "" ? "true" : undefined}
          >
            {t("card.act")}
          </button>
        ) : (
          <button type="submit" class="btn" disabled={text.trim() === "" || isBusy}>
            {t("card.act")}
          </button>
        )}
      </div>
    </form>
  );
}

/**
 * The device's key for this tender (密钥): made here, kept here, carried away as a file.
 *
 * Invariant: the passphrase and the secret never leave the device; the page says so, and says what
 * a lost key means before it is made.
 */
import { useState } from "preact/hooks";
import { t } from "../../i18n.ts";
import { Act, Button, Case, FilePick, Note } from "../../ui/words.tsx";
import type { DeskActs, DeskView } from "./desk_view.ts";

const PASSPHRASE_MIN = 8;

/** Makes the key: once per tender, before anything can be sealed. */
export function MakeKey({ desk, acts }: { readonly desk: DeskView; readonly acts: DeskActs }) {
  const [first, setFirst] = useState("");
  const [second, setSecond] = useState("");
  const [isTried, setTried] = useState(false);
  const tooShort = [...first].length < PASSPHRASE_MIN;
  const differ = first !== second;
  const isBusy = desk.key.kind === "busy";
  return (
    <Case title={t("key.make_title")}>
      <p class="lead">{t("key.make")}</p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (!tooShort && !differ && !isBusy) acts.createKey(first);
        }}
      >
        <div class="field">
          <label for="pass-1">{t("key.passphrase")}</label>
          <p class="hint" id="pass-hint">
            {t("key.passphrase_hint", { n: PASSPHRASE_MIN })}
          </p>
          <input
            id="pass-1"
            type="password"
            autocomplete="new-password"
            aria-describedby="pass-hint"
            aria-invalid={isTried && tooShort ? "true" : undefined}
            value={first}
            onInput={(event) => setFirst(event.currentTarget.value)}
          />
          {isTried && tooShort && (
            <p class="field-error">{t("key.passphrase_short", { n: PASSPHRASE_MIN })}</p>
          )}
        </div>
        <div class="field">
          <label for="pass-2">{t("key.passphrase_again")}</label>
          <input
            id="pass-2"
            type="password"
            autocomplete="new-password"
            aria-invalid={isTried && differ ? "true" : undefined}
            value={second}
            onInput={(event) => setSecond(event.currentTarget.value)}
          />
          {isTried && differ && <p class="field-error">{t("key.passphrase_differ")}</p>}
        </div>
        <button
          type="submit"
          class="act"
          aria-disabled={isBusy ? "true" : undefined}
          aria-busy={isBusy}
        >
          {t(isBusy ? "key.making" : "key.make_act")}
        </button>
      </form>
      <Note>{t("key.make_note")}</Note>
    </Case>
  );
}

/** Opens the key that is here, or takes the file of another device. */
export function OpenKey({
  desk,
  acts,
  isUrgent = false,
}: {
  readonly desk: DeskView;
  readonly acts: DeskActs;
  readonly isUrgent?: boolean;
}) {
  const [passphrase, setPassphrase] = useState("");
  const isAbsent = desk.key.kind === "absent";
  const isBusy = desk.key.kind === "busy";
  return (
    <Case title={t(isAbsent ? "key.absent_title" : "key.open_title")}>
      <p class="lead">{t(isAbsent ? "key.absent" : isUrgent ? "key.open_urgent" : "key.open")}</p>
      {!isAbsent && (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (passphrase !== "" && !isBusy) acts.openKey(passphrase);
          }}
        >
          <div class="field">
            <label for="pass-open">{t("key.passphrase")}</label>
            <input
              id="pass-open"
              type="password"
              autocomplete="current-password"
              value={passphrase}
              onInput={(event) => setPassphrase(event.currentTarget.value)}
            />
          </div>
          <button
            type="submit"
            class="act wide"
            aria-disabled={isBusy || passphrase === "" ? "true" : undefined}
            aria-busy={isBusy}
          >
            {t(isBusy ? "key.opening" : "key.open_act")}
          </button>
        </form>
      )}
      <div class="field">
        <p>
          <b>{t("key.file")}</b>
        </p>
        <p class="hint">{t("key.file_hint")}</p>
        <FilePick id="key-file" accept=".kbk" glyph="key" onPick={acts.loadKeyFile}>
          {t("key.file_pick")}
        </FilePick>
      </div>
    </Case>
  );
}

/** The key file must leave the device once: this says so until it was saved. */
export function SaveKey({ acts }: { readonly acts: DeskActs }) {
  return (
    <Case title={t("key.save_title")}>
      <p>{t("key.save")}</p>
      <Button glyph="down" onPress={acts.saveKeyFile}>
        {t("key.save_act")}
      </Button>
    </Case>
  );
}

/** Tries the lock only (钥匙演练). */
export function RehearseAct({ desk, acts }: { readonly desk: DeskView; readonly acts: DeskActs }) {
  return (
    <div class="thumb">
      <Act
        glyph="key"
        isWide
        id="rehearse"
        onPress={acts.rehearse}
        isBusy={desk.rehearsal === "busy"}
      >
        {t(desk.rehearsal === "busy" ? "rehearse.busy" : "rehearse.act")}
      </Act>
    </div>
  );
}

/** Whom to call (求助电话): the site's number where it has one, else the tender's documents. */
import { t } from "../i18n.ts";
import { Glyph } from "../ui/glyph.tsx";
import type { Surroundings } from "./frame.tsx";

/** One line for a person in trouble; on a phone a touch calls. */
export function CallHelp({ around }: { readonly around: Surroundings }) {
  if (!around.helpPhone) return <p>{t("help.documents")}</p>;
  return (
    <p class="call">
      <Glyph name="phone" /> {t("help.call")}{" "}
      <a href={`tel:${around.helpPhone}`}>
        <b>{around.helpPhone}</b>
      </a>
    </p>
  );
}

/** The head of every page: the site, who is here, the other language, sound. */

import { sounds, toggleSounds } from "../device/sounds.ts";
import { locale, setLocale, t } from "../i18n.ts";
import type { Me } from "../net/frames.ts";
import { Glyph } from "./glyph.tsx";

export interface TopProps {
  readonly me: Me;
  readonly site?: string | undefined;
  readonly helpPhone?: string | undefined;
  readonly isDemo?: boolean | undefined;
  readonly isWide?: boolean;
  readonly onLeave?: (() => void) | undefined;
}

export function Top({ me, site, helpPhone, isDemo, isWide, onLeave }: TopProps) {
  const other = locale.value === "en" ? "zh-CN" : "en";
  return (
    <header class={isWide ? "top wide" : "top"}>
      <a class="skip" href="#main">
        {t("top.skip")}
      </a>
      <div class="top-in">
        <a class="brand" href="/">
          <Glyph name="open" />
          {t("top.brand")}
          {site && <small>{site}</small>}
        </a>
        {isDemo && (
          <a class="demo-tag" href="/demo">
            {t("top.demo")}
          </a>
        )}
        <p class="who">
          {me.person ? (
            <>
              {roleWord(me.role)} <b>{me.org_name || me.name || me.person}</b>
              {me.org_name && me.name && me.name !== me.org_name ? ` ${me.name}` : ""}
            </>
          ) : (
            t("top.public")
          )}
        </p>
        <nav aria-label={t("top.nav")}>
          <button
            type="button"
            class="top-button"
            aria-pressed={sounds.value}
            onClick={toggleSounds}
          >
            <Glyph name={sounds.value ? "sound" : "soundOff"} />
            <span class="desk-only">{t(sounds.value ? "top.sound_on" : "top.sound_off")}</span>
            <span class="phone-only vh">{t(sounds.value ? "top.sound_on" : "top.sound_off")}</span>
          </button>
          <button type="button" class="top-button" lang={other} onClick={() => setLocale(other)}>
            {other === "en" ? "English" : "中文"}
          </button>
          {helpPhone && (
            <a href={`tel:${helpPhone}`}>
              <Glyph name="phone" />
              {t("top.help")}
              <span class="desk-only">{helpPhone}</span>
            </a>
          )}
          {me.person && onLeave && (
            <button type="button" class="top-button" onClick={onLeave}>
              {t("top.leave")}
            </button>
          )}
        </nav>
      </div>
    </header>
  );
}

const ROLES = new Set([
  "agency",
  "host",
  "supervisor",
  "purchaser",
  "trustee",
  "witness",
  "bidder",
  "expert",
  "viewer",
] as const);
type KnownRole = typeof ROLES extends ReadonlySet<infer R> ? R : never;

export function roleWord(role: string | undefined): string {
  return role !== undefined && (ROLES as ReadonlySet<string>).has(role)
    ? t(`role.${role as KnownRole}`)
    : t("role.viewer");
}

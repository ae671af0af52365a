/**
 * Live video in words (音视频的话): quality, way, lateness, what is muted.
 *
 * Invariant: a state is a word and a shape; colour only helps it.
 */
import { t } from "../i18n.ts";
import { Glyph, type GlyphName } from "../ui/glyph.tsx";
import { roleWord } from "../ui/top.tsx";
import { Status } from "../ui/words.tsx";
import type { FaultKind } from "./devices.ts";
import { nameOf } from "./program.ts";
import type { Quality } from "./quality.ts";
import type { Label, Told } from "./told.ts";

export function qualityText(quality: Quality): string {
  return t(`live.quality.${quality}`);
}

export function QualityWord({ quality }: { readonly quality: Quality }) {
  const tone = quality === "good" ? "go" : quality === "none" ? "soft" : "wait";
  const glyphs = { good: "tick", fair: "ring", poor: "warn", none: "clock" } as const;
  return (
    <Status tone={tone} glyph={glyphs[quality]}>
      {qualityText(quality)}
    </Status>
  );
}

export function labelText(label: Label): string {
  return t(`live.label.${label}`);
}

export function faultText(kind: FaultKind): string {
  return t(`live.fault.${kind}`);
}

/** How late a picture is; by WebRTC nearly not at all, by HLS nobody can measure it. */
export function latencyText(way: "webrtc" | "fragments", latencyMs: number | null): string {
  if (way === "webrtc") return t("live.late_none");
  if (latencyMs === null) return t("live.late_some");
  return t("live.late", { s: (Math.round(latencyMs / 100) / 10).toFixed(1) });
}

/** Who is seen: role, name and firm. */
export function whoText(told: Told, id: string): string {
  const member = told.members[id];
  if (id.startsWith("camera:")) return t("live.room_camera", { name: nameOf(member, id) });
  const name = nameOf(member, id);
  const role = member?.role ? roleWord(member.role) : "";
  const org = member?.org_name && member.org_name !== name ? member.org_name : "";
  return [role, name, org].filter(Boolean).join(" ");
}

const GLYPHS: Readonly<Record<Label, readonly [GlyphName, GlyphName]>> = {
  microphone: ["mic", "micOff"],
  camera: ["camera", "cameraOff"],
  screen: ["screen", "screenOff"],
  screen_sound: ["sound", "soundOff"],
};

/** What of somebody is sent, and what is not: word and shape, the shape struck through. */
export function SendMark({
  label,
  state,
}: {
  readonly label: Label;
  readonly state: "on" | "muted" | "stopped";
}) {
  const [on, off] = GLYPHS[label];
  return (
    <span class={`send-mark ${state}`}>
      <Glyph name={state === "on" ? on : off} />
      {t(`live.mark.${state}`, { what: labelText(label) })}
    </span>
  );
}

/** A switch of one's own: what it is now stands on it; a press makes it the other. */
export function SendSwitch({
  label,
  isOn,
  isBusy = false,
  onPress,
}: {
  readonly label: Label;
  readonly isOn: boolean;
  readonly isBusy?: boolean;
  readonly onPress: () => void;
}) {
  const [on, off] = GLYPHS[label];
  return (
    <button
      type="button"
      class={isOn ? "send-switch on" : "send-switch off"}
      aria-pressed={isOn}
      aria-busy={isBusy ? "true" : undefined}
      onClick={onPress}
    >
      <Glyph name={isOn ? on : off} />
      <span>
        <b>{labelText(label)}</b>
        <span>{t(isOn ? "live.switch.on" : "live.switch.off")}</span>
      </span>
    </button>
  );
}

/**
 * Cues for the ear (提示音): off until the first click, one switch, each with a text twin on the page.
 *
 * Invariant: no cue carries a meaning that the page does not also write. Nothing is fetched: tones
 * are made by the browser.
 */
import { signal } from "@preact/signals";

export type Cue = "chime" | "ask" | "last" | "done" | "trouble" | "open";

/** [frequency in Hz, start in s, length in s] */
type Tone = readonly [number, number, number];

const CUES: Readonly<Record<Cue, readonly Tone[]>> = {
  chime: [
    [523, 0, 0.18],
    [784, 0.2, 0.2],
  ],
  ask: [
    [660, 0, 0.14],
    [660, 0.22, 0.14],
    [660, 0.44, 0.14],
  ],
  last: [[220, 0, 0.35]],
  done: [[1046, 0, 0.14]],
  trouble: [
    [440, 0, 0.2],
    [311, 0.22, 0.26],
  ],
  open: [[392, 0, 1.2]],
};

export const sounds = signal(false);
let audio: AudioContext | null = null;

/** Browsers let a page sound only after a click; the switch is that click. */
export function toggleSounds(): void {
  sounds.value = !sounds.value;
  if (!sounds.value) return;
  audio ??= new AudioContext();
  void audio.resume();
  play("done");
}

export function play(cue: Cue): void {
  if (cue === "ask" && "vibrate" in navigator && navigator.userActivation?.hasBeenActive) {
    navigator.vibrate(200);
  }
  if (!sounds.value || audio === null) return;
  const now = audio.currentTime;
  for (const [frequency, start, length] of CUES[cue]) {
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = frequency;
    gain.gain.setValueAtTime(0, now + start);
    gain.gain.linearRampToValueAtTime(0.2, now + start + 0.02);
    gain.gain.linearRampToValueAtTime(0, now + start + length);
    tone.connect(gain).connect(audio.destination);
    tone.start(now + start);
    tone.stop(now + start + length);
  }
}

/**
 * Moments and durations as the hall writes them: always Beijing time, absolute, to the second.
 *
 * Invariant: the device's own time zone is never used; a bidder abroad reads the same figures as
 * the hall.
 */

const BEIJING_OFFSET_MS = 8 * 3600 * 1000;

function parts(ms: number): Date {
  return new Date(ms + BEIJING_OFFSET_MS);
}

const two = (value: number): string => String(value).padStart(2, "0");

/** `09:43:12` */
export function clockTime(ms: number): string {
  const at = parts(ms);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
}

/** `09:43` */
export function shortTime(ms: number): string {
  return clockTime(ms).slice(0, 5);
}

/** `09:43:12.481`, where proof matters. */
export function proofTime(ms: number): string {
  return `${clockTime(ms)}.${String(parts(ms).getUTCMilliseconds()).padStart(3, "0")}`;
}

/** `2026-11-20` */
export function day(ms: number): string {
  return parts(ms).toISOString().slice(0, 10);
}

/** `2026-11-20 09:30:00` */
export function dayTime(ms: number): string {
  return `${day(ms)} ${clockTime(ms)}`;
}

/** `2026-11-20T09:30`, as a field for date and time wants it. */
export function fieldTime(ms: number): string {
  return `${day(ms)}T${shortTime(ms)}`;
}

/** The moment of such a field, read as Beijing time; null for anything else. */
export function fromFieldTime(text: string): number | null {
  const ms = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text) ? Date.parse(`${text}:00Z`) : Number.NaN;
  return Number.isNaN(ms) ? null : ms - BEIJING_OFFSET_MS;
}

/** Sunday is 0. */
export function weekday(ms: number): number {
  return parts(ms).getUTCDay();
}

/** Figures of a countdown. Seconds are rounded up, so that 0:00 means that it is over. */
export interface Remaining {
  readonly days: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly totalSeconds: number;
}

export function remaining(ms: number): Remaining {
  const total = Math.max(0, Math.ceil(ms / 1000));
  return {
    days: Math.floor(total / 86_400),
    hours: Math.floor((total % 86_400) / 3600),
    minutes: Math.floor((total % 3600) / 60),
    seconds: total % 60,
    totalSeconds: total,
  };
}

/** `18:42`, `0:42`, and above an hour `2:05:09`. */
export function countdown(ms: number): string {
  const left = remaining(ms);
  const hours = left.days * 24 + left.hours;
  if (hours > 0) return `${hours}:${two(left.minutes)}:${two(left.seconds)}`;
  return `${left.minutes}:${two(left.seconds)}`;
}

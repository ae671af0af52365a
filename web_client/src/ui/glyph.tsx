/**
 * The signs of the hall (图形): drawn in place, so that no image is fetched and colour follows text.
 *
 * Invariant: a sign is never the only carrier of a meaning; it is hidden from screen readers and
 * always stands beside a word.
 */

interface Stroke {
  readonly d: string;
  /** Line width in a 20-unit box; absent: filled. */
  readonly line?: number;
}

const LEFT = "M2.6 3.4H9.4L7.6 7.8 10.2 12.2 8.6 16.6H2.6z";
const RIGHT = "M12.6 3.4H17.4V16.6H12L13.7 12.2 11 7.8z";
const BOX = "M3 3.6H17V16.4H3z";

const GLYPHS = {
  sealed: [
    { d: LEFT, line: 1.5 },
    { d: RIGHT, line: 1.5 },
  ],
  half: [{ d: LEFT }, { d: LEFT, line: 1 }, { d: RIGHT, line: 1.5 }],
  open: [{ d: LEFT }, { d: LEFT, line: 1 }, { d: RIGHT }, { d: RIGHT, line: 1 }],
  fail: [
    { d: BOX, line: 1.6 },
    { d: "M7 7l6 6M13 7l-6 6", line: 2 },
  ],
  gone: [
    { d: BOX, line: 1.6 },
    { d: "M6 10h8", line: 2 },
  ],
  tick: [{ d: "M3.6 10.4 8 14.8 16.4 5.6", line: 2.4 }],
  cross: [{ d: "M4.6 4.6l10.8 10.8M15.4 4.6 4.6 15.4", line: 2.4 }],
  ring: [{ d: "M10 4.2a5.8 5.8 0 1 0 .01 0z", line: 1.8 }],
  now: [{ d: "M10 2.8a7.2 7.2 0 1 0 .01 0z", line: 1.8 }, { d: "M10 6.4a3.6 3.6 0 1 0 .01 0z" }],
  warn: [
    { d: "M10 3 17.8 16.6H2.2z", line: 1.7 },
    { d: "M10 8v4.2M10 14.3v.2", line: 1.9 },
  ],
  clock: [
    { d: "M10 2.8a7.2 7.2 0 1 0 .01 0z", line: 1.7 },
    { d: "M10 5.8V10l3 2.2", line: 1.7 },
  ],
  pause: [{ d: "M5 4h3.4v12H5zM11.6 4H15v12h-3.4z" }],
  play: [{ d: "M5.6 3.6 16.4 10 5.6 16.4z" }],
  plus: [{ d: "M10 4v12M4 10h12", line: 2 }],
  again: [
    { d: "M15.6 7.4A6.2 6.2 0 1 0 16.2 11", line: 1.7 },
    { d: "M16.4 3.6v4h-4", line: 1.7 },
  ],
  sound: [
    { d: "M3 7.5h3L10.5 4v12L6 12.5H3z" },
    { d: "M13 7.2a4 4 0 0 1 0 5.6M15.2 5a7 7 0 0 1 0 10", line: 1.6 },
  ],
  soundOff: [
    { d: "M3 7.5h3L10.5 4v12L6 12.5H3z" },
    { d: "M13.2 7.8l4.4 4.4M17.6 7.8l-4.4 4.4", line: 1.6 },
  ],
  key: [
    { d: "M6.2 6.4a3.6 3.6 0 1 0 .01 0z", line: 1.8 },
    { d: "M9.8 10H18M15 10v3.2M12.5 10v2.3", line: 1.8 },
  ],
  doc: [{ d: "M4.6 2.8H12l3.4 3.6v10.8H4.6zM7.2 9.6h5.6M7.2 12.6h5.6", line: 1.5 }],
  flag: [{ d: "M5 2.8v14.6", line: 1.8 }, { d: "M5 3.2h11l-2.8 3.6L16 10.4H5z" }],
  down: [{ d: "M10 3v9.4M6 8.8l4 4 4-4M3.6 16.8h12.8", line: 1.8 }],
  print: [{ d: "M5.6 7.4V3h8.8v4.4M5.6 13.6H3V7.4h14v6.2h-2.6M5.6 11.4h8.8V17H5.6z", line: 1.5 }],
  lock: [{ d: "M6.4 9V6.6a3.6 3.6 0 0 1 7.2 0V9", line: 1.7 }, { d: "M4 9h12v8.2H4z" }],
  phone: [
    {
      d: "M5.2 3.2 7.6 3 9 7 7.2 8.4a9 9 0 0 0 4.4 4.4L13 11l4 1.4-.2 2.4c-.2 1.3-1.2 2-2.6 1.8C8.4 16 4 11.6 3.4 5.8c-.1-1.4.5-2.4 1.8-2.6z",
      line: 1.5,
    },
  ],
  link: [
    {
      d: "M8.4 11.6l3.2-3.2M9 6.6l1.8-1.8a3.2 3.2 0 0 1 4.4 4.4L13.4 11M11 13.4l-1.8 1.8a3.2 3.2 0 0 1-4.4-4.4L6.6 9",
      line: 1.6,
    },
  ],
  camera: [
    { d: "M2.8 6h3.4l1.4-2h4.8l1.4 2h3.4v10H2.8z", line: 1.5 },
    { d: "M10 8a3 3 0 1 0 .01 0z", line: 1.5 },
  ],
  cameraOff: [
    { d: "M2.8 6h3.4l1.4-2h4.8l1.4 2h3.4v10H2.8z", line: 1.5 },
    { d: "M3 2.4 17.4 18", line: 2.2 },
  ],
  mic: [
    { d: "M7.4 4.6a2.6 2.6 0 0 1 5.2 0v5a2.6 2.6 0 0 1-5.2 0z" },
    { d: "M4.8 9.4a5.2 5.2 0 0 0 10.4 0M10 14.6v3M7 17.6h6", line: 1.6 },
  ],
  micOff: [
    { d: "M7.4 4.6a2.6 2.6 0 0 1 5.2 0v5a2.6 2.6 0 0 1-5.2 0z", line: 1.4 },
    { d: "M4.8 9.4a5.2 5.2 0 0 0 10.4 0M10 14.6v3M7 17.6h6", line: 1.6 },
    { d: "M3 2.4 17.4 18", line: 2.2 },
  ],
  screen: [
    { d: "M2.6 4h14.8v9.6H2.6z", line: 1.6 },
    { d: "M10 13.6v3M6.4 17h7.2", line: 1.6 },
  ],
  screenOff: [
    { d: "M2.6 4h14.8v9.6H2.6zM10 13.6v3M6.4 17h7.2", line: 1.6 },
    { d: "M3 2.4 17.4 18", line: 2.2 },
  ],
  expand: [{ d: "M3 8V3h5M12 3h5v5M17 12v5h-5M8 17H3v-5", line: 1.8 }],
} as const satisfies Record<string, readonly Stroke[]>;

export type GlyphName = keyof typeof GLYPHS;

export function Glyph({ name }: { name: GlyphName }) {
  const strokes: readonly Stroke[] = GLYPHS[name];
  return (
    <svg class="glyph" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      {strokes.map((stroke) =>
        stroke.line === undefined ? (
          <path key={stroke.d} d={stroke.d} />
        ) : (
          <path
            key={stroke.d}
            d={stroke.d}
            fill="none"
            stroke="currentColor"
            stroke-width={stroke.line}
            stroke-linejoin="round"
            stroke-linecap="round"
          />
        ),
      )}
    </svg>
  );
}

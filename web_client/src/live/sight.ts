/**
 * How large an element is seen (可见大小): its height in steps, 0 while it is out of sight.
 *
 * Invariant: said at once, and again only when it has changed.
 */
import { tileHeight } from "./wanted.ts";

/** Sound has no size: 1. What is returned ends it. */
export function watchSize(element: HTMLMediaElement, said: (heightPx: number) => void): () => void {
  if (!(element instanceof HTMLVideoElement)) {
    said(1);
    return () => {};
  }
  let isSeen = true;
  let heightPx = element.clientHeight;
  let last: number | null = null;
  const measure = () => {
    const px = tileHeight(heightPx, devicePixelRatio, isSeen);
    if (px === last) return;
    last = px;
    said(px);
  };
  const sizes = new ResizeObserver((entries) => {
    heightPx = entries.at(-1)?.contentRect.height ?? heightPx;
    measure();
  });
  const sights = new IntersectionObserver(
    (entries) => {
      isSeen = entries.at(-1)?.isIntersecting ?? isSeen;
      measure();
    },
    { rootMargin: "200px" },
  );
  sizes.observe(element);
  sights.observe(element);
  measure();
  return () => {
    sizes.disconnect();
    sights.disconnect();
  };
}

/**
 * Reads the square code of an unlock card from a photograph (拍照识别), on the device.
 *
 * Invariant: the picture is not kept and not sent. Large pictures are scaled down first: phones take
 * twelve million pixels, and a code needs few.
 */

const SIDES = [1600, 1000, 2600] as const;

export async function readPhoto(file: File): Promise<string | null> {
  const { default: jsQR } = await import("jsqr");
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return null;
  }
  try {
    for (const side of SIDES) {
      const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
      const width = Math.max(1, Math.round(bitmap.width * scale));
      const height = Math.max(1, Math.round(bitmap.height * scale));
      const canvas = document.createElement("canvas");
      canvas.width = width;
      canvas.height = height;
      const context = canvas.getContext("2d", { willReadFrequently: true });
      if (!context) return null;
      context.drawImage(bitmap, 0, 0, width, height);
      const found = jsQR(context.getImageData(0, 0, width, height).data, width, height);
      if (found) return found.data;
    }
    return null;
  } finally {
    bitmap.close();
  }
}

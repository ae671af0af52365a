/**
 * How the pages are built: every `*.html` beside this file is one entry of `dist/`.
 *
 * Invariant: the built pages run under `script-src 'self' 'wasm-unsafe-eval'`, so nothing is
 * inlined into HTML and nothing is evaluated from a string. File names carry a content hash, so
 * that the server may let browsers keep them for ever.
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));

/** Name -> path of each page found; a page is added by putting its file here. */
function pages(): Record<string, string> {
  const names = readdirSync(root).filter((name) => name.endsWith(".html"));
  return Object.fromEntries(names.map((name) => [name.slice(0, -5), `${root}${name}`]));
}

export default defineConfig({
  root,
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: {
    format: "es",
    rolldownOptions: { output: { entryFileNames: "assets/[name]-[hash].js" } },
  },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // A data: URI would need a wider content security policy than ours.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: pages(),
      output: {
        entryFileNames: "assets/[name]-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
    // libsodium with Argon2 is one file of about 1 MB and is loaded on demand.
    chunkSizeWarningLimit: 1500,
  },
});

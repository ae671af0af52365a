/** Serves the gallery: every page at every moment, without a server (`npx vite tests/gallery`). */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { target: "es2022", assetsInlineLimit: 0, chunkSizeWarningLimit: 2000 },
  server: { fs: { allow: [fileURLToPath(new URL("../../..", import.meta.url))] } },
});

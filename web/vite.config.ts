// SPDX-License-Identifier: Apache-2.0
// Builds the screens into the Python package, where the wheel picks them up.
import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

const city = process.env["CITYBRAIN_URL"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../citybrain/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    // Citizens' pages begin with a page of their own: light at once, and with words for who has no JavaScript.
    rolldownOptions: { input: ["index.html", "citizen.html"] },
  },
  server: { proxy: { "/api": { target: city, ws: true } } },
  test: { include: ["src/**/*.test.ts"], environment: "node", testTimeout: 30_000 },
});

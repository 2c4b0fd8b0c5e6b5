import { defineConfig } from "vitest/config";

export default defineConfig({ esbuild: { jsx: "automatic" }, test: { include: ["test/**/*.test.{ts,tsx}"], testTimeout: 60_000 } });

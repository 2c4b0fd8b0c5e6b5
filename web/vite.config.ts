// How the console is built. `TROUPE_CONSOLE_OUT` is the folder for the result (web/build.mjs sets it, with TROUPE_CONSOLE_LICENCES,
// the file for the terms of the packages in it); without it: dist/.
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { licences } from './licences.mjs';

const client = (file: string) => fileURLToPath(new URL(`../clients/typescript/src/${file}`, import.meta.url));
// `vite dev` shows the pages of the sources with the data of a server that runs already.
const server = process.env.TROUPE_SERVER ?? 'http://127.0.0.1:8080';
const proxied = Object.fromEntries(['/api', '/auth', '/healthz', '/readyz'].map((path) => [path, { target: server }]));

export default defineConfig({
  plugins: [
    react(),
    ...(process.env.TROUPE_CONSOLE_LICENCES
      ? [licences(process.env.TROUPE_CONSOLE_LICENCES, fileURLToPath(new URL('.', import.meta.url)))]
      : []),
  ],
  base: './',
  resolve: {
    alias: [
      { find: /^troupe-client\/react$/, replacement: client('react.ts') },
      { find: /^troupe-client$/, replacement: client('index.ts') },
    ],
    // The client's hooks use the console's React, also where the client's own folder has one for its tests.
    dedupe: ['react', 'react-dom'],
  },
  build: {
    target: 'es2021',
    outDir: process.env.TROUPE_CONSOLE_OUT ?? 'dist',
    emptyOutDir: true,
    // Everything is a file of its own: the Content-Security-Policy admits no data in addresses for scripts and fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { fs: { allow: ['..'] }, proxy: { ...proxied, '/ws': { target: server, ws: true } } },
});

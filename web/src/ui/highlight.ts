// Colours for code. The highlighter and its grammars are a chunk of their own, loaded when the first block of code is shown.
import type { HLJSApi } from 'highlight.js';

let api: HLJSApi | null = null;
let loading: Promise<void> | null = null;
/** Longer blocks stay plain: they would hold up the page at every piece that streams in. */
const longest = 20_000;

export const isHighlighterReady = (): boolean => api !== null;

export function loadHighlighter(): Promise<void> {
  loading ??= import('./grammars').then(
    (m) => void (api = m.hljs),
    (error: unknown) => {
      loading = null;
      throw error;
    },
  );
  return loading;
}

/** HTML with classes, or nothing where the language is not known or not loaded. */
export function highlight(code: string, language: string): string | null {
  if (!api || !language || code.length > longest || !api.getLanguage(language)) return null;
  return api.highlight(code, { language, ignoreIllegals: true }).value;
}

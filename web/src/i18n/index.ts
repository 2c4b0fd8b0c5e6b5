// Languages. Each page has a dictionary file per language; it imports both, so that they travel with the page's own chunk:
//
//   const text = { en, es };            // i18n/en/<page>.ts and i18n/es/<page>.ts
//   const t = useText(text);            // in a component; t.title, t.found(3)
import { createStore, remember, remembered, useStore } from '../store';

export type Language = 'en' | 'es';
export const languages: readonly { id: Language; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'es', name: 'Español' },
];

/** The shape of a dictionary; other languages have the same keys, and functions with the same arguments. */
export type Words = { readonly [key: string]: string | ((...values: never[]) => string) | Words };
export type Same<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...values: infer A) => string
      ? (...values: A) => string
      : Same<T[K]>;
};
export type Dictionary<T> = { readonly en: T; readonly es: Same<T> };

const key = 'troupe.language';
const isLanguage = (text: string | null | undefined): text is Language => text === 'en' || text === 'es';

function preferred(): Language {
  const chosen = remembered('localStorage', key);
  if (isLanguage(chosen)) return chosen;
  for (const tag of navigator.languages) {
    const base = tag.slice(0, 2).toLowerCase();
    if (isLanguage(base)) return base;
  }
  return 'en';
}

export const language = createStore<Language>(preferred());

export function chooseLanguage(next: Language): void {
  remember('localStorage', key, next);
  language.set(next);
}

export function startLanguage(): void {
  const apply = () => (document.documentElement.lang = language.value());
  apply();
  language.subscribe(apply);
}

export const useLanguage = (): Language => useStore(language);
export const useText = <T>(dictionary: Dictionary<T>): Same<T> => {
  const now = useLanguage();
  return now === 'es' ? dictionary.es : (dictionary.en as unknown as Same<T>);
};

/** The locale for numbers and dates: the browser's own of that language, so that 24 hours and commas are the user's. */
export function locale(now: Language = language.value()): string {
  return navigator.languages.find((tag) => tag.toLowerCase().startsWith(now)) ?? now;
}

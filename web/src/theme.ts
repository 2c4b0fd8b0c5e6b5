// Dark or light: as the system has it, until the user chooses.
import { createStore, remember, remembered } from './store';

export type Theme = 'system' | 'light' | 'dark';
const key = 'troupe.theme';
const isTheme = (text: string | null): text is Theme => text === 'system' || text === 'light' || text === 'dark';

const stored = remembered('localStorage', key);
export const theme = createStore<Theme>(isTheme(stored) ? stored : 'system');

const system = window.matchMedia('(prefers-color-scheme: dark)');

/** What is shown now. */
export const shownTheme = (): 'light' | 'dark' => {
  const chosen = theme.value();
  return chosen === 'system' ? (system.matches ? 'dark' : 'light') : chosen;
};

function apply(): void {
  document.documentElement.dataset.theme = shownTheme();
}

export function chooseTheme(next: Theme): void {
  remember('localStorage', key, next === 'system' ? null : next);
  theme.set(next);
}

export function startTheme(): void {
  apply();
  theme.subscribe(apply);
  system.addEventListener('change', apply);
}

import en from '../../i18n/en/chat';
import es from '../../i18n/es/chat';
import { useText } from '../../i18n';
import { awaitsTitle } from '../common/useSessionNames';

const text = { en, es };
export const useWords = () => useText(text);
export type Words = ReturnType<typeof useWords>;

export const titleOf = (title: string, t: Words): string =>
  title === awaitsTitle ? t.sessions.fresh : title || t.sessions.untitled;

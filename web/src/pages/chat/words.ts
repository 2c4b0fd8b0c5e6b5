import en from '../../i18n/en/chat';
import es from '../../i18n/es/chat';
import { useText } from '../../i18n';

const text = { en, es };
export const useWords = () => useText(text);
export type Words = ReturnType<typeof useWords>;

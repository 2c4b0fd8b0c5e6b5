import { useText } from '../../i18n';
import en from '../../i18n/en/traces';
import es from '../../i18n/es/traces';

export const useTraceText = () => useText({ en, es });

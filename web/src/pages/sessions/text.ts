import { useText } from '../../i18n';
import en from '../../i18n/en/sessions';
import es from '../../i18n/es/sessions';

export const useSessionText = () => useText({ en, es });

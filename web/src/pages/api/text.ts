import { useText } from '../../i18n';
import en from '../../i18n/en/api';
import es from '../../i18n/es/api';

export const useApiText = () => useText({ en, es });

import en from '../../i18n/en/records';
import es from '../../i18n/es/records';
import { useText } from '../../i18n';

export const useRecords = () => useText({ en, es });

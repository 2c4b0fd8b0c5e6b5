import { useText } from '../../i18n';
import en from '../../i18n/en/spend';
import es from '../../i18n/es/spend';

export const useSpendText = () => useText({ en, es });

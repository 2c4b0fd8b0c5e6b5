import { useText } from '../../i18n';
import en from '../../i18n/en/settings';
import es from '../../i18n/es/settings';

export const useSettingsText = () => useText({ en, es });

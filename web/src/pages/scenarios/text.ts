import { useText } from '../../i18n';
import en from '../../i18n/en/scenarios';
import es from '../../i18n/es/scenarios';

export const useScenarioText = () => useText({ en, es });

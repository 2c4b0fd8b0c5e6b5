import { useText } from '../../../i18n';
import en from '../../../i18n/en/agents';
import es from '../../../i18n/es/agents';

export const useAgentsText = () => useText({ en, es });

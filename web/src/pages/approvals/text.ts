import { useText } from '../../i18n';
import en from '../../i18n/en/approvals';
import es from '../../i18n/es/approvals';

export const useApprovalText = () => useText({ en, es });

import en from './en/common';
import es from './es/common';
import { useText } from '.';

export const commonText = { en, es };
export const useCommon = () => useText(commonText);

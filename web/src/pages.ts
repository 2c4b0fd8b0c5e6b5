// The pages: which there are, where, and with which picture. A page is loaded when it is opened.
import { lazy, type ComponentType, type LazyExoticComponent } from 'react';
import { BarChart3, Braces, CheckCheck, FlaskConical, Layers, MessageSquare, Settings, Workflow, type LucideIcon } from 'lucide-react';

export type PageName = 'chat' | 'approvals' | 'traces' | 'spend' | 'sessions' | 'scenarios' | 'settings' | 'api';
export interface Page {
  name: PageName;
  path: string;
  icon: LucideIcon;
  view: LazyExoticComponent<ComponentType>;
}

const modules = import.meta.glob<{ default: ComponentType }>('./pages/*/index.tsx');
const icons: readonly (readonly [PageName, LucideIcon])[] = [
  ['chat', MessageSquare],
  ['approvals', CheckCheck],
  ['traces', Workflow],
  ['spend', BarChart3],
  ['sessions', Layers],
  ['scenarios', FlaskConical],
  ['settings', Settings],
  ['api', Braces],
];

export const pages: readonly Page[] = icons.flatMap(([name, icon]) => {
  const load = modules[`./pages/${name}/index.tsx`];
  return load ? [{ name, icon, path: `/${name}`, view: lazy(load) }] : [];
});

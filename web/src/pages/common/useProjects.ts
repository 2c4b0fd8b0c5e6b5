// The projects and agents of the server, and the project that a page is about: one choice for all pages.
import type { Agent, Project } from 'troupe-client';
import { api } from '../../api';
import { createStore, remember, remembered, useStore } from '../../store';
import { useAsync, type Async } from '../../ui';

const key = 'troupe.project';
const chosen = createStore<string | null>(remembered('sessionStorage', key));

export function chooseProject(id: string): void {
  remember('sessionStorage', key, id);
  chosen.set(id);
}

/** All of a list, page by page. */
export async function readAll<T>(page: (query: { limit: number; offset: number }) => Promise<{ items: T[]; total: number }>): Promise<T[]> {
  const out: T[] = [];
  for (;;) {
    const { items, total } = await page({ limit: 100, offset: out.length });
    out.push(...items);
    if (items.length === 0 || out.length >= total) return out;
  }
}

export interface Setup {
  projects: Project[];
  agents: Agent[];
}

/** Of all projects. */
export function useSetup(): Async<Setup> {
  return useAsync(async (signal) => {
    const projects = await readAll((query) => api.client.projects.list(query, { signal }));
    const agents = await Promise.all(projects.map((p) => readAll((query) => api.client.agents.list(p.id, query, { signal }))));
    return { projects, agents: agents.flat() };
  }, []);
}

/** The chosen project, or the first one; empty while the list is not there. */
export function useProject(setup: Setup | undefined): string {
  const id = useStore(chosen);
  const { projects = [] } = setup ?? {};
  return projects.find((p) => p.id === id)?.id ?? projects[0]?.id ?? '';
}

import { useMemo } from 'react';
import type { Agent, Project } from 'troupe-client';
import { api } from '../../api';
import { useAsync } from '../../ui';

export interface ProjectAgents {
  project: Project;
  agents: readonly Agent[];
}

/** All that is configured: projects with their agents, those of the default first. */
export function useAgents() {
  const asked = useAsync(async (signal) => {
    const projects = await api.client.projects.list({ limit: 100 }, { signal });
    return Promise.all(
      projects.items.map(async (project): Promise<ProjectAgents> => {
        const page = await api.client.agents.list(project.id, { limit: 100 }, { signal });
        return { project, agents: [...page.items].sort((a, b) => Number(b.isDefault) - Number(a.isDefault)) };
      }),
    );
  }, []);
  const all = useMemo(() => asked.data?.flatMap((p) => p.agents) ?? [], [asked.data]);
  return { ...asked, projects: asked.data ?? [], all };
}

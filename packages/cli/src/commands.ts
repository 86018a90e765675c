import type { Command } from './command.ts';

/** Every command, in the order help lists them. Imported only when one runs, so that starting costs little. */
export const commands: Readonly<
  Record<string, { readonly summary: string; load(): Promise<{ readonly command: Command }> }>
> = {
  up: { summary: 'run a mesh on this machine', load: () => import('./commands/up.ts') },
  status: { summary: 'what runs, and how it is', load: () => import('./commands/status.ts') },
  logs: { summary: 'print what workloads wrote', load: () => import('./commands/logs.ts') },
  curl: { summary: 'send a request as a workload would', load: () => import('./commands/curl.ts') },
  scale: { summary: 'change the number of replicas', load: () => import('./commands/scale.ts') },
  restart: {
    summary: 'replace the pods of a workload, one after the other',
    load: () => import('./commands/restart.ts'),
  },
  stop: { summary: 'stop a running mesh', load: () => import('./commands/stop.ts') },
  explain: {
    summary: 'say what the mesh would do with a request, and why',
    load: () => import('./commands/explain.ts'),
  },
  validate: { summary: 'check mesh files', load: () => import('./commands/validate.ts') },
  token: { summary: 'sign a token for an example issuer', load: () => import('./commands/token.ts') },
  'x xds': { summary: 'print what a proxy would be sent', load: () => import('./commands/x-xds.ts') },
  completion: { summary: 'complete commands and flags in a shell', load: () => import('./commands/completion.ts') },
  version: { summary: 'print the version', load: () => import('./commands/version.ts') },
};

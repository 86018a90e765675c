import type { Command } from './command.ts';
import type { subcommands } from './commands/proxy-config.ts';

/** A command; imported only when it runs, so that starting costs little. */
export interface Entry {
  readonly summary: string;
  readonly aliases?: readonly string[];
  load(): Promise<{ readonly command: Command }>;
}

/** Commands under a common first word. */
export interface Group {
  readonly summary: string;
  readonly aliases?: readonly string[];
  readonly description: string;
  readonly subcommands: Readonly<Record<string, Entry>>;
}

/** Every command, in the order help lists them. */
export const commands: Readonly<Record<string, Entry | Group>> = {
  up: { summary: 'run a mesh on this machine', load: () => import('./commands/up.ts') },
  status: { summary: 'what runs, and how it is', load: () => import('./commands/status.ts') },
  dashboard: { summary: 'open the console of a running mesh', load: () => import('./commands/dashboard.ts') },
  top: { summary: 'what workloads and services do now, live', load: () => import('./commands/top.ts') },
  tap: { summary: 'requests in and out of a workload, live', load: () => import('./commands/tap.ts') },
  logs: { summary: 'print what workloads wrote', load: () => import('./commands/logs.ts') },
  curl: { summary: 'send a request as a workload would', load: () => import('./commands/curl.ts') },
  load: { summary: 'send traffic and report how it was answered', load: () => import('./commands/load.ts') },
  scale: { summary: 'change the number of replicas', load: () => import('./commands/scale.ts') },
  restart: {
    summary: 'replace the pods of a workload, one after the other',
    load: () => import('./commands/restart.ts'),
  },
  traces: { summary: 'list traces, or show one as a waterfall', load: () => import('./commands/traces.ts') },
  stop: { summary: 'stop a running mesh', load: () => import('./commands/stop.ts') },
  explain: {
    summary: 'say what the mesh would do with a request, and why',
    load: () => import('./commands/explain.ts'),
  },
  validate: { summary: 'check mesh files', load: () => import('./commands/validate.ts') },
  'proxy-config': {
    summary: 'print what a proxy is configured with',
    aliases: ['pc'],
    description:
      'Of a proxy of a running mesh, of one that `mizzen up` would start for the files named with --config, or of an ' +
      'Envoy whose configuration dump is in a file (-f).',
    subcommands: proxyConfig(),
  },
  'proxy-status': {
    summary: 'print what proxies were sent and have acknowledged',
    aliases: ['ps'],
    load: () => import('./commands/proxy-status.ts'),
  },
  proxy: { summary: 'run one proxy from an Envoy bootstrap', load: () => import('./commands/proxy.ts') },
  'control-plane': {
    summary: 'serve xDS from mesh files to any Envoy',
    load: () => import('./commands/control-plane.ts'),
  },
  ratelimit: { summary: 'serve Envoy’s rate limit API', load: () => import('./commands/ratelimit.ts') },
  export: {
    summary: 'write configuration for Prometheus and Grafana',
    description: 'Files that a Prometheus or a Grafana of yours is started with.',
    subcommands: {
      prometheus: {
        summary: 'scrape configuration, recording rules and alerts',
        load: async () => ({ command: (await import('./commands/export.ts')).prometheus }),
      },
      grafana: {
        summary: 'a data source and dashboards',
        load: async () => ({ command: (await import('./commands/export.ts')).grafana }),
      },
    },
  },
  token: { summary: 'sign a token for an example issuer', load: () => import('./commands/token.ts') },
  'x xds': { summary: 'print what a proxy would be sent', load: () => import('./commands/x-xds.ts') },
  completion: { summary: 'complete commands and flags in a shell', load: () => import('./commands/completion.ts') },
  version: { summary: 'print the version', load: () => import('./commands/version.ts') },
};

/** istioctl's names and aliases. */
function proxyConfig(): Group['subcommands'] {
  const of = (name: keyof typeof subcommands, summary: string, ...aliases: string[]) => ({
    summary,
    aliases,
    load: async () => ({ command: (await import('./commands/proxy-config.ts')).subcommands[name] }),
  });
  return {
    all: of('all', 'everything', 'a'),
    bootstrap: of('bootstrap', 'what the proxy was started with', 'b'),
    cluster: of('cluster', 'clusters', 'clusters', 'c'),
    ecds: of('ecds', 'extension configurations', 'ec'),
    eds: of('eds', 'endpoints as they are sent, with their localities'),
    endpoint: of('endpoint', 'endpoints and their health', 'endpoints', 'ep'),
    listener: of('listener', 'listeners', 'listeners', 'l'),
    log: of('log', 'logging levels: not here', 'o'),
    'rootca-compare': of('rootca-compare', 'whether two proxies trust the same roots', 'rc'),
    route: of('route', 'routes', 'routes', 'r'),
    secret: of('secret', 'certificates', 'secrets', 's'),
  };
}

/** The command or group of a name or alias. */
export function find(
  table: Readonly<Record<string, Entry | Group>>,
  word: string,
): [string, Entry | Group] | undefined {
  const entry = table[word];
  if (entry !== undefined && Object.hasOwn(table, word)) return [word, entry];
  return Object.entries(table).find(([, { aliases }]) => aliases?.includes(word) === true);
}

import type { Command, Flag, FlagValue, Invocation } from '../command.ts';
import { common, IstioctlError, text } from '../command.ts';
import { canonicalAny, canonicalMessage } from '../proxy-config/proto-json.ts';
import { goJson, goYaml } from '../proxy-config/go-text.ts';
import type { Raw } from '../proxy-config/read-dump.ts';
import { REFUSED } from '../proxy-config/refused.ts';
import { type Source, sourceOf } from '../proxy-config/source.ts';
import { inIstioctlWords } from '../proxy-config/failures.ts';

const PLACES = {
  file: { type: 'string', short: 'f', value: 'FILE|-', help: 'a configuration dump of Envoy, or of Mizzen, in JSON' },
  config: common.config,
  'mesh-config': common['mesh-config'],
  node: { type: 'string', value: 'FILE|-', help: 'with --config: the Envoy node of the proxy, instead of a workload' },
  engine: { type: 'string', value: 'mizzen|envoy', help: 'with --config: what proxies are (default mizzen)' },
  namespace: common.namespace,
  'state-dir': common['state-dir'],
  'mesh-name': { ...common.name, help: 'which running mesh, when several run side by side' },
  api: { type: 'string', value: 'HOST:PORT', help: 'the API of a running mesh or control plane, when it is elsewhere' },
} as const satisfies Record<string, Flag>;

const output = (byDefault: string): Flag => ({
  type: 'string',
  short: 'o',
  value: 'FORMAT',
  help: `json, yaml or short (default ${byDefault})`,
});
const filter = (help: string, value: string): Flag => ({ type: 'string', value, help });
const port = (of: string): Flag => ({ type: 'string', integer: true, value: 'PORT', help: `only ${of} of this port` });
const verbose: Flag = { type: 'boolean', help: 'every route and filter chain (default true; --verbose=false: fewer)' };

interface Part {
  readonly summary: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** `-o` when it is not given; short unless said otherwise. */
  readonly byDefault?: 'json';
  readonly examples: readonly string[];
  /** The table. Asked for chunk by chunk, so that what was printed stays when the next part is missing. */
  table(source: Source, values: Values): Promise<Iterable<string>> | Iterable<string>;
  /** What `-o json` prints: messages in a list, or one, or text as it is. */
  json(source: Source, values: Values): Promise<Printed> | Printed;
  /** What a person should know of where it came from. */
  remark?(source: Source): string | undefined;
}

/** `list`: of Envoy's messages, by the type that each is of; `message`: one. */
type Printed =
  | { readonly list: readonly Raw[]; readonly type: string }
  | { readonly message: Raw }
  | { readonly text: string };

type Values = Invocation['values'];

const given = (values: Values, name: string): string => text(values, name) ?? '';
const numeric = (values: Values, name: string): number => Number(text(values, name) ?? '0');
const on = (values: Values, name: string): boolean => (values[name] as FlagValue) !== false;

const clusterFilter = (values: Values) => ({
  fqdn: given(values, 'fqdn'),
  port: numeric(values, 'port'),
  subset: given(values, 'subset'),
  direction: given(values, 'direction'),
});
const listenerFilter = (values: Values) => ({
  address: given(values, 'address'),
  port: numeric(values, 'port'),
  type: given(values, 'type'),
});
const endpointFilter = (values: Values) => ({
  address: given(values, 'address'),
  port: numeric(values, 'port'),
  cluster: given(values, 'cluster'),
  status: given(values, 'status'),
});

const CLUSTER_FLAGS = {
  fqdn: filter('only clusters with this in their host', 'TEXT'),
  direction: filter('only clusters of this direction', 'inbound|outbound'),
  subset: filter('only clusters with this in their subset', 'TEXT'),
};
const ENDPOINT_FLAGS = {
  address: filter('only endpoints at this address', 'ADDRESS'),
  cluster: filter('only endpoints of the cluster of this name', 'NAME'),
  port: port('endpoints'),
  status: filter('only endpoints of this health', 'STATUS'),
};

const cluster: Part = {
  summary: 'Prints the clusters of a proxy.',
  flags: { ...CLUSTER_FLAGS, port: port('clusters') },
  examples: [
    'mizzen proxy-config cluster orders',
    'mizzen pc c orders --fqdn catalog --port 8080 -o json',
    'mizzen pc cluster -f config_dump.json --direction inbound',
  ],
  async table({ dump }, values) {
    const { clustersOf, clusterTable } = await import('../proxy-config/clusters.ts');
    return [clusterTable(clustersOf(dump, clusterFilter(values)))];
  },
  async json({ dump }, values) {
    const { clustersOf } = await import('../proxy-config/clusters.ts');
    return { list: clustersOf(dump, clusterFilter(values)), type: 'envoy.config.cluster.v3.Cluster' };
  },
};

const listener: Part = {
  summary: 'Prints the listeners of a proxy.',
  flags: {
    address: filter('only listeners at this address', 'ADDRESS'),
    port: port('listeners'),
    type: filter('only listeners of this type', 'HTTP|TCP|HTTP+TCP'),
    verbose,
  },
  examples: ['mizzen proxy-config listener orders --config examples/store', 'mizzen pc l orders --type HTTP -o yaml'],
  async table({ dump }, values) {
    const { listenersOf, listenerTable } = await import('../proxy-config/listeners.ts');
    const verbosely = on(values, 'verbose');
    return [listenerTable(listenersOf(dump, listenerFilter(values)), { verbose: verbosely })];
  },
  async json({ dump }, values) {
    const { listenersOf } = await import('../proxy-config/listeners.ts');
    return { list: listenersOf(dump, listenerFilter(values)), type: 'envoy.config.listener.v3.Listener' };
  },
};

const route: Part = {
  summary: 'Prints the route configurations of a proxy; those inside listeners are told with the listeners.',
  flags: { name: filter('only the route configuration of this name', 'NAME'), verbose },
  examples: ['mizzen proxy-config route orders', 'mizzen pc r orders --name http_proxy -o json'],
  async table({ dump }, values) {
    const { routesOf, routeTable } = await import('../proxy-config/routes.ts');
    return [routeTable(routesOf(dump, given(values, 'name')), { verbose: on(values, 'verbose') })];
  },
  async json({ dump }, values) {
    const { routesOf } = await import('../proxy-config/routes.ts');
    return { list: routesOf(dump, given(values, 'name')), type: 'envoy.config.route.v3.RouteConfiguration' };
  },
};

/** Envoy tells of its endpoints apart from its configuration; a file holds one or the other. */
async function clusterStatuses({ dump, kind }: Source): Promise<Source['dump']> {
  if (kind === 'file') return dump;
  const { statusesFromConfig } = await import('../proxy-config/cluster-statuses.ts');
  return (await import('../proxy-config/read-dump.ts')).Dump.of(statusesFromConfig(dump));
}

const endpoint: Part = {
  summary: 'Prints the endpoints of a proxy.',
  flags: ENDPOINT_FLAGS,
  examples: [
    'mizzen proxy-config endpoint orders --status HEALTHY',
    "mizzen pc ep -f <(curl -s 'localhost:15000/clusters?format=json')",
  ],
  async table(source, values) {
    const { clusterStatusesOf, endpointTable } = await import('../proxy-config/endpoints.ts');
    const filtered = endpointFilter(values);
    const statuses = clusterStatusesOf(await clusterStatuses(source), filtered);
    return [endpointTable(statuses, filtered, source.kind === 'server' ? '-' : 'OK')];
  },
  async json(source, values) {
    const { clusterStatusesOf } = await import('../proxy-config/endpoints.ts');
    const dump = await clusterStatuses(source);
    return { list: clusterStatusesOf(dump, endpointFilter(values)), type: 'envoy.admin.v3.ClusterStatus' };
  },
  remark({ dump, kind }) {
    if (kind !== 'file' || !dump.isConfigDump) return undefined;
    return 'this is a configuration dump; endpoints are in `/clusters?format=json`, and what was sent of them in `eds`';
  },
};

const eds: Part = {
  summary: 'Prints the endpoints that a proxy is sent, with their localities.',
  flags: ENDPOINT_FLAGS,
  examples: ['mizzen proxy-config eds orders --port 8080', 'mizzen pc eds -f config_dump.json -o json'],
  async table({ dump }, values) {
    const { assignmentsOf, assignmentTable } = await import('../proxy-config/eds.ts');
    return [assignmentTable(assignmentsOf(dump, endpointFilter(values)))];
  },
  async json({ dump }, values) {
    const { assignmentsOf } = await import('../proxy-config/eds.ts');
    const type = 'envoy.config.endpoint.v3.ClusterLoadAssignment';
    return { list: assignmentsOf(dump, endpointFilter(values)), type };
  },
};

const secret: Part = {
  summary: 'Prints the certificates of a proxy; private keys are never shown.',
  flags: {},
  examples: ['mizzen proxy-config secret orders'],
  async table({ dump }) {
    const { secretTable } = await import('../proxy-config/secrets.ts');
    return [secretTable(dump, Date.now())];
  },
  json: ({ dump }) => ({ message: dump.part('SecretsConfigDump') }),
};

const ecds: Part = {
  summary: 'Prints the HTTP filters that a proxy fetches by themselves.',
  flags: {},
  examples: ['mizzen proxy-config ecds orders'],
  async table({ dump }) {
    const { extensionTable } = await import('../proxy-config/ecds.ts');
    return [extensionTable(dump)];
  },
  json: ({ dump }) => ({ message: dump.part('EcdsConfigDump') }),
};

const bootstrap: Part = {
  summary: 'Prints what a proxy was started with.',
  flags: {},
  byDefault: 'json',
  examples: ['mizzen proxy-config bootstrap orders', 'mizzen pc b orders -o short'],
  async table({ dump, kind }) {
    const { versionTable } = await import('../proxy-config/bootstrap.ts');
    return [versionTable(dump, kind === 'file')];
  },
  json: ({ dump }) => ({ message: dump.part('BootstrapConfigDump') }),
};

const all: Part = {
  summary: 'Prints all that a proxy is configured with.',
  flags: { ...CLUSTER_FLAGS, ...listener.flags, ...route.flags, port: port('clusters, listeners and endpoints') },
  examples: ['mizzen proxy-config all orders', 'mizzen pc a orders -o json > config_dump.json'],
  async table({ dump, kind }, values) {
    const { allTables } = await import('../proxy-config/all.ts');
    return allTables(dump, {
      clusters: clusterFilter(values),
      listeners: listenerFilter(values),
      route: given(values, 'name'),
      verbose: on(values, 'verbose'),
      envoy: kind === 'file',
      now: Date.now(),
    });
  },
  json({ dump }, values) {
    const filtered = Object.keys(all.flags).find((name) => values[name] !== undefined);
    if (filtered !== undefined) throw new IstioctlError(`--${filtered}: -o json and yaml print the whole dump`);
    return { text: dump.text };
  },
};

function commandOf(name: string, part: Part): Command {
  const { summary, flags, byDefault = 'short', examples } = part;
  return {
    name: `proxy-config ${name}`,
    usage: 'WORKLOAD[.NAMESPACE] | -f FILE | --config FILE|DIR --node FILE',
    summary,
    description:
      'Without -f and --config it is the proxy of a running mesh, as its control plane has configured it; with --config ' +
      'one that `mizzen up` would start for these files. A workload is named by pod, Deployment, app label or Service.',
    flags: { ...flags, output: output(byDefault), ...withMeshName(flags) },
    istioctl: { refused: REFUSED },
    examples,
    run: (invocation) =>
      inIstioctlWords(async () => {
        const format = text(invocation.values, 'output') ?? byDefault;
        const { values, out, err } = invocation;
        const source = await sourceOf(withName(invocation, flags), NAMES[name] ?? name);
        const remark = part.remark?.(source);
        if (remark !== undefined) err.write(`${remark}\n`);
        if (format === 'short') for (const chunk of await part.table(source, values)) out.write(chunk);
        else if (format === 'json' || format === 'yaml')
          out.write(`${rendered(await part.json(source, values), format)}\n`);
        else throw new IstioctlError(`output format "${format}" not supported`);
        return 0;
      }),
  };
}

/** As istioctl calls them when it asks for a pod. */
const NAMES: Readonly<Record<string, string>> = { endpoint: 'endpoints' };

/** Where `--name` is no filter it is the mesh's, as everywhere. */
function withMeshName(flags: Part['flags']): Readonly<Record<string, Flag>> {
  const meshName: Flag = 'name' in flags ? PLACES['mesh-name'] : { ...PLACES['mesh-name'], alias: 'name' };
  return { ...PLACES, 'mesh-name': meshName };
}

/** For whoever looks for a mesh by `name`. */
function withName(invocation: Invocation, flags: Part['flags']): Invocation {
  const { name: _, ...values } = invocation.values;
  return { ...invocation, values: { ...('name' in flags ? values : invocation.values), name: values['mesh-name'] } };
}

function rendered(printed: Printed, format: 'json' | 'yaml'): string {
  if ('text' in printed) return format === 'json' ? printed.text : goYaml(JSON.parse(printed.text));
  const value =
    'list' in printed
      ? printed.list.map((each) => withoutType(canonicalMessage(printed.type, each)))
      : withoutType(canonicalAny(printed.message));
  return format === 'json' ? goJson(value, 'list' in printed) : goYaml(value);
}

/** What is an Any in a dump is printed as the message it carries. */
function withoutType({ '@type': _, ...rest }: Raw): Raw {
  return rest;
}

const rootCaCompare: Command = {
  name: 'proxy-config rootca-compare',
  usage: 'WORKLOAD[.NAMESPACE] WORKLOAD[.NAMESPACE]',
  summary: 'Says whether two proxies trust the same root certificates. Status 1 when they do not.',
  flags: withMeshName({}),
  istioctl: { refused: REFUSED },
  examples: ['mizzen proxy-config rootca-compare orders catalog'],
  run: (invocation) =>
    inIstioctlWords(async () => {
      const { rootsOf, sameRoots } = await import('../proxy-config/roots.ts');
      const { positionals, out } = invocation;
      if (positionals.length !== 2) throw new IstioctlError('rootca-compare requires 2 pods as an argument');
      const [first, second] = await Promise.all(
        positionals.map(async (each) =>
          rootsOf((await sourceOf({ ...withName(invocation, {}), positionals: [each] }, 'rootca-compare')).dump, each),
        ),
      );
      const same = sameRoots(first!, second!);
      const verdict = same ? 'the identical ROOTCA' : 'the non identical ROOTCA';
      const consequence = `theoretically the connectivity between them is ${same ? 'available' : 'unavailable'}`;
      const report = `Both [${first!.pod}] and [${second!.pod}] have ${verdict}, ${consequence}`;
      if (!same) throw new IstioctlError(report);
      out.write(`${report}\n`);
      return 0;
    }),
};

const refusal = (name: string, summary: string, reason: string): Command => ({
  name: `proxy-config ${name}`,
  usage: '',
  summary,
  flags: {},
  istioctl: { refused: {} },
  run: () => {
    throw new IstioctlError(`proxy-config ${name}: ${reason}`);
  },
});

/** Every `mizzen proxy-config …`. */
export const subcommands = {
  all: commandOf('all', all),
  bootstrap: commandOf('bootstrap', bootstrap),
  cluster: commandOf('cluster', cluster),
  ecds: commandOf('ecds', ecds),
  eds: commandOf('eds', eds),
  endpoint: commandOf('endpoint', endpoint),
  listener: commandOf('listener', listener),
  log: refusal('log', 'Not supported.', 'logging levels of proxies cannot be read or set here'),
  'rootca-compare': rootCaCompare,
  route: commandOf('route', route),
  secret: commandOf('secret', secret),
} as const satisfies Record<string, Command>;

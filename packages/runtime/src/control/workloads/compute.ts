import { hash } from 'node:crypto';
import { didYouMean } from '@mizzen/diagnostics';
import type { Diagnostic } from '@mizzen/diagnostics';
import type { MeshModel } from '@mizzen/model';
import type { Engine } from '@mizzen/translator';
import { MOST_REPLICAS } from '../../desired.ts';
import type { DesiredContainer, DesiredWorkload } from '../../protocol.ts';
import { settingsFor } from '../settings/types.ts';
import type { Settings } from '../settings/types.ts';
import { containersOf } from './containers.ts';
import { tcpDestinations } from './destinations.ts';
import { bootstrapPatches, engineFor, onLess } from './engine.ts';
import { gatewayPortsOf } from './gateway-ports.ts';
import { type Proxying, proxyingOf } from './injection.ts';
import { serviceEnvironment } from './service-environment.ts';
import { portsOfServices } from './service-ports.ts';
import { serviceAccountOf, templatesOf, versionOf } from './templates.ts';
import type { Template } from './templates.ts';

export interface WorkloadOptions {
  readonly settings: Settings;
  readonly standIns: boolean;
  readonly inject: 'always' | 'labelled';
  /** What proxies are where no annotation says otherwise. */
  readonly engine: Engine;
  /** Gateway server port → local port. */
  readonly gatewayPorts: Readonly<Record<number, number>>;
}

export interface Workloads {
  readonly workloads: readonly DesiredWorkload[];
  readonly gateways: readonly DesiredWorkload[];
  readonly diagnostics: readonly Diagnostic[];
  /** Things to be said once. */
  readonly notices: readonly string[];
}

/** What should run on this machine. A function of its arguments alone: the same files always give the same hashes. */
export function computeWorkloads(model: MeshModel, options: WorkloadOptions): Workloads {
  const { snapshot } = model;
  const diagnostics: Diagnostic[] = [];
  const notices: string[] = [];
  const workloads: DesiredWorkload[] = [];
  const gateways: Template[] = [];
  const serviceEnv = remember((namespace) => serviceEnvironment(model, namespace));
  const templates = templatesOf(snapshot);
  for (const template of templates) {
    const { owner, spec } = template;
    const proxying = proxyingOf(template, snapshot, options.inject);
    if (proxying === 'gateway') {
      gateways.push(template);
      continue;
    }
    const settings = settingsFor(options.settings, owner.namespace, owner.name);
    const more = portsOfServices(model, template);
    const { standIns } = options;
    const containers = containersOf(template, { snapshot, settings, standIns, more, diagnostics, notices });
    if (containers === undefined) continue;
    const env = containers.flatMap((each) => each.env);
    const links = (spec as { readonly enableServiceLinks?: boolean }).enableServiceLinks !== false;
    const fixed = {
      ...common(template),
      ...(mergesMetrics(template, model) ? {} : { mergeMetrics: false as const }),
      sidecar: proxying === 'sidecar',
      ...proxyOf(template, proxying, { model, options, diagnostics }),
      containers,
      tcpDestinations: proxying === 'sidecar' ? tcpDestinations(model, owner.namespace, env) : [],
    };
    if (template.replicas > MOST_REPLICAS)
      notices.push(`${owner.kind} \`${owner.name}\` runs ${MOST_REPLICAS} times: one machine has no room for more`);
    workloads.push({
      ...fixed,
      replicas: Math.min(template.replicas, MOST_REPLICAS),
      templateHash: hashOf(fixed),
      strategy: template.strategy,
      serviceEnvironment: links ? serviceEnv(owner.namespace) : {},
      restartPolicy: spec.restartPolicy,
    });
  }
  diagnostics.push(...unknownNames(options.settings, templates));
  const ports = gatewayPortsOf(model, gateways, options.gatewayPorts, notices);
  const fronts = gateways.map((template, index) =>
    gateway(template, proxyOf(template, 'gateway', { model, options, diagnostics }), ports[index]!, notices),
  );
  notices.push(...onLess([...workloads, ...fronts], options.engine));
  return {
    workloads,
    gateways: fronts,
    diagnostics,
    notices,
  };
}

function gateway(
  template: Template,
  proxy: ReturnType<typeof proxyOf>,
  ports: ReturnType<typeof gatewayPortsOf>[number],
  notices: string[],
): DesiredWorkload {
  const { owner, replicas } = template;
  if (replicas > 1)
    notices.push(`gateway \`${owner.name}\` runs once: two cannot listen on the same port of one machine`);
  const fixed = {
    ...common(template),
    sidecar: false,
    ...proxy,
    containers: [] as DesiredContainer[],
    tcpDestinations: [],
  };
  return {
    ...fixed,
    replicas: Math.min(replicas, 1),
    templateHash: hashOf(fixed),
    strategy: { type: 'Recreate', maxSurge: 0, maxUnavailable: 1 },
    serviceEnvironment: {},
    gatewayPorts: ports.local,
    gatewayProtocols: ports.protocols,
    ...(ports.metrics.length === 0 ? {} : { gatewayMetrics: ports.metrics }),
  };
}

/** What proxy a pod has, and what its Envoys are started with besides. */
function proxyOf(
  template: Template,
  proxying: Proxying,
  {
    model,
    options,
    diagnostics,
  }: { readonly model: MeshModel; readonly options: WorkloadOptions; readonly diagnostics: Diagnostic[] },
): Pick<DesiredWorkload, 'engine' | 'bootstrap'> {
  if (proxying === 'none') return { engine: undefined };
  const engine = engineFor(template, options, diagnostics);
  const bootstrap = engine === 'envoy' ? bootstrapPatches(model, template, proxying) : undefined;
  return bootstrap === undefined ? { engine } : { engine, bootstrap };
}

function common({ owner, labels, annotations, spec }: Template) {
  return {
    owner,
    labels,
    annotations,
    serviceAccount: serviceAccountOf(spec),
    version: versionOf(labels),
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
  };
}

/** The workload's own annotation goes before the mesh's setting; texts as Go's strconv.ParseBool reads them. */
function mergesMetrics({ annotations }: Template, { mesh }: MeshModel): boolean {
  const own = annotations['prometheus.istio.io/merge-metrics'] ?? '';
  if (/^(1|t|T|TRUE|true|True)$/.test(own)) return true;
  return /^(0|f|F|FALSE|false|False)$/.test(own) ? false : mesh.enablePrometheusMerge !== false;
}

/** Over everything that a running pod cannot take over: a different hash means new pods. */
function hashOf(parts: object): string {
  return hash('sha256', JSON.stringify(parts)).slice(0, 10);
}

function unknownNames(settings: Settings, templates: readonly Template[]): Diagnostic[] {
  const names = new Set(templates.flatMap(({ owner }) => [owner.name, `${owner.name}.${owner.namespace}`]));
  return [...settings.named].flatMap(([name, span]) => {
    if (names.has(name)) return [];
    const meant = didYouMean(name, names);
    const help = meant === undefined ? undefined : `did you mean \`${meant}\`?`;
    const message = `there is no Deployment, StatefulSet or Pod \`${name}\``;
    return [{ code: 'MZ0111', severity: 'warning', message, span, help } satisfies Diagnostic];
  });
}

function remember<V>(compute: (key: string) => V): (key: string) => V {
  const known = new Map<string, V>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) known.set(key, (value = compute(key)));
    return value;
  };
}

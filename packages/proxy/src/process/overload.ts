import type { JsonObject } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { messageOf } from '../program/read-resource.ts';
import { field } from './field.ts';

const MONITORS = 'envoy.extensions.resource_monitors.';
const INJECTED = `${MONITORS}injected_resource.v3.InjectedResourceConfig`;
const CONNECTIONS = `${MONITORS}downstream_connections.v3.DownstreamConnectionsConfig`;
const HEAP = `${MONITORS}fixed_heap.v3.FixedHeapConfig`;
/** Of memory and the rest, which the operating system limits. */
const OTHERS: readonly string[] = [
  HEAP,
  `${MONITORS}cgroup_memory.v3.CgroupMemoryConfig`,
  `${MONITORS}cpu_utilization.v3.CpuUtilizationConfig`,
];

const ACTIONS: readonly string[] = [
  'stop_accepting_requests',
  'disable_http_keepalive',
  'stop_accepting_connections',
  'reject_incoming_connections',
  'shrink_heap',
  'reduce_timeouts',
  'reset_high_memory_stream',
].map((name) => `envoy.overload_actions.${name}`);

/** The one thing of an overload manager that is of effect here: how many connections there may be. Undefined: any number. */
export function maxConnections(context: CompileContext, overloadManager: unknown): number | undefined {
  const manager = (overloadManager ?? {}) as JsonObject;
  const monitors = (field(manager, 'resourceMonitors') ?? []) as readonly JsonObject[];
  const names = new Set<string>();
  let limit: number | undefined;
  for (const [i, monitor] of monitors.entries()) {
    const path = ['overloadManager', 'resourceMonitors', i];
    const name = text(monitor['name']);
    if (names.has(name)) context.refuse([...path, 'name'], `\`${name}\` is there twice`);
    names.add(name);
    const max = limitOf(context, (field(monitor, 'typedConfig') ?? {}) as JsonObject, [...path, 'typedConfig']);
    limit ??= max;
  }
  const actions = (field(manager, 'actions') ?? []) as readonly JsonObject[];
  const seen = new Set<string>();
  for (const [i, action] of actions.entries()) {
    const at = ['overloadManager', 'actions', i];
    const name = text(action['name']);
    if (name !== '' && !ACTIONS.includes(name)) {
      context.refuse([...at, 'name'], `\`${name}\` is not an action that is known`);
    }
    if (seen.has(name)) context.refuse([...at, 'name'], `\`${name}\` is there twice`);
    seen.add(name);
    checkTriggers(context, action, names, at);
  }
  const points = (field(manager, 'loadshedPoints') ?? []) as readonly JsonObject[];
  for (const [i, point] of points.entries()) {
    checkTriggers(context, point, names, ['overloadManager', 'loadshedPoints', i]);
  }
  return limit;
}

function checkTriggers(context: CompileContext, of: JsonObject, monitors: ReadonlySet<string>, path: Path): void {
  const triggers = (field(of, 'triggers') ?? []) as readonly JsonObject[];
  const seen = new Set<string>();
  for (const [i, trigger] of triggers.entries()) {
    const at = [...path, 'triggers', i, 'name'];
    const name = text(trigger['name']);
    if (!monitors.has(name)) context.refuse(at, `there is no resource monitor \`${name}\``);
    if (seen.has(name)) context.refuse(at, `\`${name}\` is there twice`);
    seen.add(name);
  }
}

function limitOf(context: CompileContext, config: JsonObject, path: Path): number | undefined {
  const type = messageOf(text(config['@type']));
  if (type === CONNECTIONS) {
    const max = Number(field(config, 'maxActiveDownstreamConnections') ?? 0);
    if (Number.isInteger(max) && max > 0) return max;
    context.refuse([...path, 'maxActiveDownstreamConnections'], 'must be greater than 0');
  } else if (type === INJECTED) context.refuse(path, 'no actions are taken by what a file says');
  else if (!OTHERS.includes(type)) context.refuse(path, `\`${type}\` is not a resource monitor that is known`);
  else if (type === HEAP && Number(field(config, 'maxHeapSizeBytes') ?? 0) === 0)
    context.refuse([...path, 'maxHeapSizeBytes'], 'must be greater than 0');
  return undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

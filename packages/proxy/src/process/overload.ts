import type { JsonObject } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import { messageOf } from '../program/read-resource.ts';

const INJECTED = 'envoy.extensions.resource_monitors.injected_resource.v3.InjectedResourceConfig';
const CONNECTIONS = 'envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig';

/** The one thing of an overload manager that is of effect here: how many connections there may be. Undefined: any number. */
export function maxConnections(context: CompileContext, overloadManager: unknown): number | undefined {
  const manager = (overloadManager ?? {}) as JsonObject;
  const monitors = (manager['resourceMonitors'] ?? manager['resource_monitors'] ?? []) as readonly JsonObject[];
  for (const [i, monitor] of monitors.entries()) {
    const config = (monitor['typedConfig'] ?? monitor['typed_config'] ?? {}) as JsonObject;
    const type = config['@type'];
    if (typeof type === 'string' && messageOf(type) === INJECTED)
      context.refuse(
        ['overloadManager', 'resourceMonitors', i, 'typedConfig'],
        'no actions are taken by what a file says',
      );
    if (typeof type !== 'string' || messageOf(type) !== CONNECTIONS) continue;
    const path = ['overloadManager', 'resourceMonitors', i, 'typedConfig', 'maxActiveDownstreamConnections'];
    const max = Number(config['maxActiveDownstreamConnections'] ?? config['max_active_downstream_connections'] ?? 0);
    if (Number.isInteger(max) && max > 0) return max;
    context.refuse(path, 'must be greater than 0');
  }
  return undefined;
}

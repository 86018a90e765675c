import type { JsonObject } from '@mizzen/xds';
import { json, serverState, text, type AdminAnswer, type AdminContext } from './context.ts';
import { VERSION } from '../version.ts';
import { protoNames } from './proto-names.ts';

/** `/server_info`. */
export function serverInfo(context: AdminContext): AdminAnswer {
  const { deps, started, commandLine, nodeJson } = context;
  const uptime = `${Math.floor((deps.clock.wall() - started) / 1000)}s`;
  return json({
    version: VERSION,
    state: serverState(context),
    uptime_current_epoch: uptime,
    uptime_all_epochs: uptime,
    hot_restart_version: 'disabled',
    command_line_options: protoNames('envoy.admin.v3.CommandLineOptions', commandLine),
    node: whole(protoNames('envoy.config.core.v3.Node', nodeJson) as JsonObject),
    hot_restart_initializing: false,
  });
}

/** Here Envoy prints what is empty, too. */
function whole({ locality, ...node }: JsonObject): JsonObject {
  return {
    id: '',
    cluster: '',
    ...node,
    ...(locality === undefined
      ? {}
      : { locality: { region: '', zone: '', sub_zone: '', ...(locality as JsonObject) } }),
    client_features: [],
    listening_addresses: [],
    dynamic_parameters: {},
  };
}

/** `/memory`: what Node says of its heap, under Envoy's names. */
export function memory(): AdminAnswer {
  const { heapUsed, heapTotal, rss } = process.memoryUsage();
  return json({
    allocated: String(heapUsed),
    heap_size: String(heapTotal),
    pageheap_unmapped: '0',
    pageheap_free: String(heapTotal - heapUsed),
    total_thread_cache: '0',
    total_physical_bytes: String(rss),
  });
}

/** `/ready`. */
export function ready(context: AdminContext): AdminAnswer {
  const state = serverState(context);
  return text(`${state}\n`, state === 'LIVE' ? 200 : 503);
}

import type { types } from '@mizzen/xds';
import type { FilterState } from '../filter-state/state.ts';
import { OBJECT_FACTORIES } from '../filter-state/objects.ts';
import type { NetworkStateProgram } from '../program/types.ts';

/** The server name that clients ask for is the name of the TCP proxy's cluster. */
export function sniCluster(): NetworkStateProgram {
  return whenNamed((state, name) => put(state, 'envoy.tcp_proxy.cluster', name));
}

/** The server name that clients ask for is the host that a dynamic forward proxy connects to. */
export function sniForwardProxy({ portValue = 443 }: types.sniDynamicForwardProxy.FilterConfig): NetworkStateProgram {
  return whenNamed((state, name) => {
    put(state, 'envoy.upstream.dynamic_host', name);
    put(state, 'envoy.upstream.dynamic_port', String(portValue));
  });
}

function whenNamed(use: (state: FilterState, name: string) => void): NetworkStateProgram {
  return {
    onNewConnection: (state, { info }) => {
      const name = info.connection.requestedServerName;
      if (name !== '') use(state, name);
    },
    onHandshake: undefined,
    onData: undefined,
  };
}

function put(state: FilterState, key: string, value: string): void {
  const object = OBJECT_FACTORIES[key]?.(value);
  if (object !== undefined) state.set(key, object, 'NONE');
}

import type { Listener, types } from '@mizzen/xds';
import type { Proxy } from '../context.ts';
import type { Patch } from './patch.ts';

/** What a listener on one machine stands for, in the words of a cluster. */
interface StandsFor {
  readonly name?: string;
  readonly port?: number;
}

const VIRTUAL: ReadonlySet<string | undefined> = new Set(['virtualInbound', 'virtualOutbound']);

/** Whether a listener and its parts are what a patch is about. */
export class ListenerMatch {
  readonly #standsFor: StandsFor;

  constructor(proxy: Proxy, listener: Listener) {
    this.#standsFor = standsFor(proxy, listener);
  }

  listener(listener: Listener, { applyTo, match }: Patch): boolean {
    const wanted = match.listener;
    if (wanted === undefined) return true;
    const { name = '', portNumber = 0 } = wanted;
    if (name !== '' && name !== listener.name && name !== this.#standsFor.name) return false;
    // The ports of these two are those of redirection; the ones that are meant are their filter chains'.
    if (applyTo !== 'LISTENER' && VIRTUAL.has(listener.name)) return true;
    return portNumber === 0 || portNumber === portOf(listener) || portNumber === this.#standsFor.port;
  }

  /** Of a listener that matches. */
  chain(listener: Listener, chain: types.listener.FilterChain, { match }: Patch): boolean {
    const wanted = match.listener;
    if (wanted === undefined) return true;
    const own = chain.filterChainMatch;
    const { portNumber = 0, filterChain = {} } = wanted;
    if (VIRTUAL.has(listener.name) && portNumber !== 0 && own?.destinationPort !== portNumber) return false;
    const { name = '', sni = '', transportProtocol = '', applicationProtocols = '', destinationPort = 0 } = filterChain;
    const { transportSocket = '' } = filterChain;
    return (
      (transportSocket === '' || transportSocket === chain.transportSocket?.name) &&
      (name === '' || name === chain.name) &&
      (sni === '' || own?.serverNames?.includes(sni) === true) &&
      (transportProtocol === '' || own?.transportProtocol === transportProtocol) &&
      (applicationProtocols === '' ||
        applicationProtocols.split(',').every((each) => own?.applicationProtocols?.includes(each) === true)) &&
      (destinationPort === 0 || (own?.destinationPort ?? this.#standsFor.port) === destinationPort)
    );
  }
}

/** Of a filter chain that matches. */
export function matchesFilter({ name }: { readonly name?: string }, { match }: Patch): boolean {
  const wanted = match.listener?.filterChain?.filter;
  return wanted === undefined || (wanted.name ?? '') === (name ?? '');
}

function portOf(listener: Listener): number | undefined {
  return listener.address?.socketAddress?.portValue;
}

/**
 * Without redirection each port has a listener of its own, perhaps on another port; a patch that was written for a
 * cluster means it by the port of the container, the service or the Gateway.
 */
function standsFor({ local }: Proxy, listener: Listener): StandsFor {
  if (local === undefined) return {};
  const { address, portValue } = listener.address?.socketAddress ?? {};
  const inbound = local.inbound?.find((each) => each.address === address && each.port === portValue);
  if (inbound !== undefined && listener.trafficDirection === 'INBOUND') {
    return { name: 'virtualInbound', port: inbound.containerPort };
  }
  const outbound = local.outbound?.find((each) => each.address === address && each.port === portValue);
  if (outbound !== undefined) return { port: outbound.servicePort };
  const declared = Object.entries(local.gateway?.ports ?? {}).find(([, port]) => port === portValue);
  return declared === undefined ? {} : { port: Number(declared[0]) };
}

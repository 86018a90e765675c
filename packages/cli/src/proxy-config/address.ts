import { isObject, message, number, type Raw, text } from './read-dump.ts';

/** Where a listener or an endpoint is, of an envoy.config.core.v3.Address. */
export interface Place {
  readonly kind: 'socket' | 'pipe' | 'internal' | 'unknown';
  /** IP address, path, or `LISTENER/ENDPOINT-ID`. */
  readonly address: string;
  /** 0 where there is none. */
  readonly port: number;
}

export function placeOf(address: Raw): Place {
  if (isObject(address['socketAddress'])) {
    const socket = address['socketAddress'];
    return { kind: 'socket', address: text(socket, 'address'), port: number(socket, 'portValue') };
  }
  if (isObject(address['pipe'])) return { kind: 'pipe', address: text(address['pipe'], 'path'), port: 0 };
  const internal = message(address, 'envoyInternalAddress');
  const listener = internal['serverListenerName'];
  if (typeof listener !== 'string') return { kind: 'unknown', address: '', port: 0 };
  return { kind: 'internal', address: `${listener}/${text(internal, 'endpointId')}`, port: 0 };
}

import type { k8s } from '@mizzen/api';
import type { Protocol } from './types.ts';

const BY_NAME: Readonly<Record<string, Protocol>> = {
  tcp: 'tcp',
  udp: 'udp',
  grpc: 'grpc',
  'grpc-web': 'grpc-web',
  http: 'http',
  http_proxy: 'http',
  http2: 'http2',
  https: 'https',
  tls: 'tls',
  mongo: 'mongo',
  redis: 'redis',
  mysql: 'mysql',
  hbone: 'hbone',
};

const APP_PROTOCOLS: Readonly<Record<string, Protocol>> = {
  'kubernetes.io/h2c': 'http2',
  'kubernetes.io/ws': 'http',
  'kubernetes.io/wss': 'https',
};

/** Ports whose servers speak first, which no sniffing can wait for: SMTP, DNS, MySQL, MongoDB. */
const SERVER_FIRST = new Set([25, 53, 3306, 27017]);

/** A protocol as Istio's own resources write it (any case); `auto` when absent or unknown. */
export function protocolOf(text: string | undefined): Protocol {
  return (text === undefined ? undefined : BY_NAME[text.toLowerCase()]) ?? 'auto';
}

/** The protocol of a Kubernetes service port: its appProtocol, else its name up to the first `-`. */
export function servicePortProtocol(port: k8s.ServicePort): Protocol {
  if (port.protocol === 'UDP') return 'udp';
  const app = port.appProtocol;
  if (app !== undefined && APP_PROTOCOLS[app] !== undefined) return APP_PROTOCOLS[app];
  const name = (app ?? port.name ?? '').toLowerCase();
  if (name.startsWith('grpc-web')) return 'grpc-web';
  const dash = name.indexOf('-');
  const protocol = protocolOf(dash < 0 ? name : name.slice(0, dash));
  return protocol === 'auto' && SERVER_FIRST.has(port.port) ? 'tcp' : protocol;
}

import type { Resource } from '../resource.ts';
import type { Report } from './report.ts';
import { checkShape, fields, list } from './shape.ts';

const PORTS = list(
  fields({ name: 'string', port: 'integer', protocol: ['TCP', 'UDP', 'SCTP'], appProtocol: 'string' }),
);
const TARGET = fields({ kind: 'string', name: 'string', namespace: 'string' });
const ADDRESSES = list(fields({ ip: 'string', hostname: 'string', nodeName: 'string', targetRef: TARGET }));

const SLICE = fields({
  addressType: ['IPv4', 'IPv6', 'FQDN'],
  endpoints: list(
    fields({
      addresses: list('string'),
      conditions: fields({ ready: 'boolean', serving: 'boolean', terminating: 'boolean' }),
      hostname: 'string',
      nodeName: 'string',
      zone: 'string',
      targetRef: TARGET,
    }),
  ),
  ports: PORTS,
});
const ENDPOINTS = fields({
  subsets: list(fields({ addresses: ADDRESSES, notReadyAddresses: ADDRESSES, ports: PORTS })),
});

/** An EndpointSlice has its fields beside `metadata`, without a `spec`. */
export function checkEndpointSlice({ body }: Resource<undefined>, report: Report): void {
  checkShape(report, [], body, SLICE);
}

export function checkEndpoints({ body }: Resource<undefined>, report: Report): void {
  checkShape(report, [], body, ENDPOINTS);
}

import { TypeUrl } from '@mizzen/xds';
import type { ClusterProgram, ListenerProgram } from '../program/types.ts';
import type { Nack } from '../types.ts';

/** What compiles but cannot be done by this proxy, named field by field. */
export function unsupportedInCluster(program: ClusterProgram): Nack[] {
  const refuse = (field: string, message: string): Nack => ({
    typeUrl: TypeUrl.cluster,
    resource: program.name,
    field,
    message,
  });
  const nacks: Nack[] = [];
  if (program.transport.kind === 'proxy_protocol')
    nacks.push(refuse('transportSocket', '`envoy.transport_sockets.upstream_proxy_protocol` is not supported'));
  for (const [index, { transport }] of program.transportMatches.entries()) {
    if (transport.kind !== 'proxy_protocol') continue;
    nacks.push(
      refuse(
        `transportSocketMatches[${index}].transportSocket`,
        '`envoy.transport_sockets.upstream_proxy_protocol` is not supported',
      ),
    );
  }
  if (program.hashBalanceFactor > 0)
    nacks.push(refuse('commonLbConfig.consistentHashingLbConfig.hashBalanceFactor', 'is not supported'));
  if (program.originalDst?.useHttpHeader === true)
    nacks.push(refuse('originalDstLbConfig.useHttpHeader', 'is not supported'));
  if (program.http.overrideAutoSniHeader !== '') nacks.push(refuse('overrideAutoSniHeader', 'is not supported'));
  for (const [index, { check }] of program.healthChecks.entries()) {
    if (check.kind !== 'http' || (check.headersToAdd.length === 0 && check.headersToRemove.length === 0)) continue;
    nacks.push(refuse(`healthChecks[${index}].httpHealthCheck`, 'header changes are not supported'));
  }
  return nacks;
}

export function unsupportedInListener(program: ListenerProgram): Nack[] {
  return program.listenerFilters.flatMap(({ kind }, index) =>
    kind === 'proxy_protocol'
      ? [
          {
            typeUrl: TypeUrl.listener,
            resource: program.name,
            field: `listenerFilters[${index}]`,
            message: '`envoy.filters.listener.proxy_protocol` is not supported',
          },
        ]
      : [],
  );
}

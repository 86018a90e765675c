import type { types } from '@mizzen/xds';
import { compileHttpInspector } from '../../filter/inspector/http.ts';
import { compileTlsInspector } from '../../filter/inspector/tls.ts';
import { compileListenerLocalRateLimit } from '../../filter/local-ratelimit-listener.ts';
import { compileProxyProtocol } from '../../filter/proxy-protocol/filter.ts';
import type { CompileContext } from '../context.ts';
import { filterConfig } from './discovery.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';
import type { ListenerFilterProgram } from '../types.ts';

const PREFIX = 'envoy.extensions.filters.listener.';

/** Undefined after a refusal. */
export function compileListenerFilter(
  context: CompileContext,
  filter: types.listener.ListenerFilter,
  path: Path,
): ListenerFilterProgram | undefined {
  const disabled =
    filter.filterDisabled === undefined
      ? undefined
      : compilePredicate(context, filter.filterDisabled, [...path, 'filterDisabled']);
  const { config, path: at, discovered } = filterConfig(context, 'tcp_listener_filter', filter, path);
  if (config === undefined && discovered) return { kind: 'missing', disabled };
  const type = messageOf(config?.['@type'] ?? '');
  switch (type) {
    case `${PREFIX}tls_inspector.v3.TlsInspector`:
      return {
        kind: 'inspector',
        step: compileTlsInspector(context, config as types.tlsInspector.TlsInspector, at),
        disabled,
      };
    case `${PREFIX}http_inspector.v3.HttpInspector`:
      return { kind: 'inspector', step: compileHttpInspector(context), disabled };
    case `${PREFIX}local_ratelimit.v3.LocalRateLimit`:
      return {
        kind: 'inspector',
        step: compileListenerLocalRateLimit(context, config as types.listenerLocalRateLimit.LocalRateLimit, at),
        disabled,
      };
    case `${PREFIX}original_dst.v3.OriginalDst`:
      return { kind: 'original_dst', disabled };
    case `${PREFIX}proxy_protocol.v3.ProxyProtocol`:
      return {
        kind: 'proxy_protocol',
        disabled,
        reader: compileProxyProtocol(context, config as types.proxyProtocol.ProxyProtocol, at),
      };
    default:
      context.refuse(at, `\`${type}\` is not a listener filter that is supported`);
      return undefined;
  }
}

function compilePredicate(
  context: CompileContext,
  predicate: types.listener.ListenerFilterChainMatchPredicate,
  path: Path,
): (destinationPort: number) => boolean {
  if (predicate.anyMatch !== undefined) return () => true;
  if (predicate.notMatch !== undefined) {
    const inner = compilePredicate(context, predicate.notMatch, [...path, 'notMatch']);
    return (port) => !inner(port);
  }
  const rules = (name: 'orMatch' | 'andMatch'): ((port: number) => boolean)[] =>
    (predicate[name]?.rules ?? []).map((rule, i) => compilePredicate(context, rule, [...path, name, 'rules', i]));
  if (predicate.orMatch !== undefined) {
    const all = rules('orMatch');
    return (port) => all.some((rule) => rule(port));
  }
  if (predicate.andMatch !== undefined) {
    const all = rules('andMatch');
    return (port) => all.every((rule) => rule(port));
  }
  if (predicate.destinationPortRange !== undefined) {
    const { start = 0, end = 0 } = predicate.destinationPortRange;
    return (port) => port >= start && port < end;
  }
  context.refuse(path, 'must say what to match');
  return () => false;
}

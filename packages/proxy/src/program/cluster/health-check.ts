import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import { compileHeaderChange } from '../headers.ts';
import type { Path } from '../path.ts';
import type { HealthCheckProgram } from '../types.ts';
import { asciiLower, milliseconds, wire } from '../values.ts';

export function compileHealthChecks(
  context: CompileContext,
  checks: readonly types.core.HealthCheck[] | undefined,
): HealthCheckProgram[] {
  return (checks ?? []).flatMap((check, i) => compileHealthCheck(context, check, ['healthChecks', i]) ?? []);
}

function compileHealthCheck(
  context: CompileContext,
  check: types.core.HealthCheck,
  path: Path,
): HealthCheckProgram | undefined {
  for (const field of ['timeout', 'interval', 'unhealthyThreshold', 'healthyThreshold'] as const) {
    if (check[field] === undefined) context.refuse([...path, field], 'must be there');
  }
  const how = checkKind(context, check, path);
  if (how === undefined) return undefined;
  const interval = milliseconds(check.interval, 5000);
  const unhealthyInterval = milliseconds(check.unhealthyInterval, interval);
  return {
    timeout: milliseconds(check.timeout, 1000),
    interval,
    initialJitter: milliseconds(check.initialJitter, 0),
    intervalJitter: milliseconds(check.intervalJitter, 0),
    intervalJitterFraction: (check.intervalJitterPercent ?? 0) / 100,
    unhealthyThreshold: check.unhealthyThreshold ?? 1,
    healthyThreshold: check.healthyThreshold ?? 1,
    reuseConnection: check.reuseConnection ?? true,
    noTrafficInterval: milliseconds(check.noTrafficInterval, 60_000),
    noTrafficHealthyInterval: milliseconds(
      check.noTrafficHealthyInterval,
      milliseconds(check.noTrafficInterval, 60_000),
    ),
    unhealthyInterval,
    unhealthyEdgeInterval: milliseconds(check.unhealthyEdgeInterval, unhealthyInterval),
    healthyEdgeInterval: milliseconds(check.healthyEdgeInterval, interval),
    check: how,
  };
}

function checkKind(
  context: CompileContext,
  check: types.core.HealthCheck,
  path: Path,
): HealthCheckProgram['check'] | undefined {
  const { httpHealthCheck: http, tcpHealthCheck: tcp } = check;
  if (http !== undefined) {
    const at = [...path, 'httpHealthCheck'];
    if (http.path === undefined || http.path === '') context.refuse([...at, 'path'], 'must not be empty');
    const method = http.method === undefined || http.method === 'METHOD_UNSPECIFIED' ? 'GET' : http.method;
    if (method === 'CONNECT') context.refuse([...at, 'method'], 'must not be CONNECT');
    const ranges = (given: readonly types.envoyType.Int64Range[] | undefined): (readonly [number, number])[] =>
      (given ?? []).map((range) => [Number(range.start ?? 0), Number(range.end ?? 0)]);
    const expected = ranges(http.expectedStatuses);
    return {
      kind: 'http',
      host: wire(http.host ?? ''),
      path: wire(http.path ?? ''),
      method,
      headersToAdd: (http.requestHeadersToAdd ?? []).flatMap(
        (option, i) => compileHeaderChange(context, option, [...at, 'requestHeadersToAdd', i]) ?? [],
      ),
      headersToRemove: (http.requestHeadersToRemove ?? []).map(asciiLower),
      expectedStatuses: expected.length === 0 ? [[200, 201]] : expected,
      retriableStatuses: ranges(http.retriableStatuses),
    };
  }
  if (tcp !== undefined) {
    return { kind: 'tcp', send: payload(tcp.send), receive: (tcp.receive ?? []).map(payload) };
  }
  context.refuse(path, 'must say how to check');
  return undefined;
}

/** `text` is hexadecimal. */
function payload(given: types.core.HealthCheck_Payload | undefined): Buffer {
  if (given?.text !== undefined) return Buffer.from(given.text, 'hex');
  return Buffer.from(given?.binary ?? '', 'base64');
}

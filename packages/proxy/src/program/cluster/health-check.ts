import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import { compileHeaderChange, compileMutations } from '../headers.ts';
import { compileString } from '../match/string.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';
import { compileProxyProtocol } from '../transport.ts';
import type { CheckProgram, HealthCheckProgram } from '../types.ts';
import { checkLogFile, milliseconds, wire } from '../values.ts';

const FILE_SINK = 'envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink';
const REDIS = 'envoy.extensions.health_checkers.redis.v3.Redis';
/** Methods of requests that may have a payload. */
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH', 'OPTIONS']);

export function compileHealthChecks(
  context: CompileContext,
  checks: readonly types.core.HealthCheck[] | undefined,
  speaksHttp2: boolean,
): HealthCheckProgram[] {
  const names = new Set<string>();
  (checks ?? []).forEach(({ name = '' }, i) => {
    if (checks!.length === 1) return;
    if (name === '') context.refuse(['healthChecks', i, 'name'], 'must be there where a cluster has several');
    else if (names.has(name)) context.refuse(['healthChecks', i, 'name'], `\`${name}\` is there twice`);
    names.add(name);
  });
  return (checks ?? []).flatMap(
    (check, i) => compileHealthCheck(context, check, ['healthChecks', i], speaksHttp2) ?? [],
  );
}

function compileHealthCheck(
  context: CompileContext,
  check: types.core.HealthCheck,
  path: Path,
  speaksHttp2: boolean,
): HealthCheckProgram | undefined {
  for (const field of ['timeout', 'interval', 'unhealthyThreshold', 'healthyThreshold'] as const) {
    if (check[field] === undefined) context.refuse([...path, field], 'must be there');
  }
  for (const field of [
    'timeout',
    'interval',
    'noTrafficInterval',
    'noTrafficHealthyInterval',
    'unhealthyInterval',
    'unhealthyEdgeInterval',
    'healthyEdgeInterval',
  ] as const) {
    if (check[field] !== undefined && milliseconds(check[field], 0) <= 0)
      context.refuse([...path, field], 'must be more than 0s');
  }
  const how = compileKind(context, check, path, speaksHttp2);
  if (how === undefined) return undefined;
  const interval = milliseconds(check.interval, 5000);
  const unhealthyInterval = milliseconds(check.unhealthyInterval, interval);
  const noTrafficInterval = milliseconds(check.noTrafficInterval, 60_000);
  return {
    name: check.name ?? '',
    timeout: milliseconds(check.timeout, 1000),
    interval,
    initialJitter: milliseconds(check.initialJitter, 0),
    intervalJitter: milliseconds(check.intervalJitter, 0),
    intervalJitterFraction: (check.intervalJitterPercent ?? 0) / 100,
    unhealthyThreshold: check.unhealthyThreshold ?? 1,
    healthyThreshold: check.healthyThreshold ?? 1,
    reuseConnection: check.reuseConnection ?? true,
    noTrafficInterval,
    noTrafficHealthyInterval: milliseconds(check.noTrafficHealthyInterval, noTrafficInterval),
    unhealthyInterval,
    unhealthyEdgeInterval: milliseconds(check.unhealthyEdgeInterval, unhealthyInterval),
    healthyEdgeInterval: milliseconds(check.healthyEdgeInterval, interval),
    alpnProtocols: check.tlsOptions?.alpnProtocols,
    transportMatch: check.transportSocketMatchCriteria,
    eventLogs: eventLogs(context, check, path),
    logsFailures: check.alwaysLogHealthCheckFailures === true,
    logsSuccesses: check.alwaysLogHealthCheckSuccess === true,
    check: how,
  };
}

function eventLogs(context: CompileContext, check: types.core.HealthCheck, path: Path): string[] {
  const files = (check.eventLogger ?? []).flatMap(({ typedConfig }, i) => {
    const at = [...path, 'eventLogger', i, 'typedConfig'];
    const type = messageOf(typedConfig?.['@type'] ?? '');
    if (type !== FILE_SINK) {
      context.refuse(at, `\`${type}\` is not a sink of health check events that is supported`);
      return [];
    }
    const { eventLogPath = '' } = typedConfig as { readonly eventLogPath?: string };
    if (eventLogPath === '') context.refuse([...at, 'eventLogPath'], 'must not be empty');
    checkLogFile(context, eventLogPath, [...at, 'eventLogPath']);
    return [eventLogPath];
  });
  checkLogFile(context, check.eventLogPath, [...path, 'eventLogPath']);
  return check.eventLogPath === undefined || check.eventLogPath === '' ? files : [check.eventLogPath, ...files];
}

function compileKind(
  context: CompileContext,
  check: types.core.HealthCheck,
  path: Path,
  speaksHttp2: boolean,
): CheckProgram | undefined {
  const { httpHealthCheck: http, tcpHealthCheck: tcp, grpcHealthCheck: grpc, customHealthCheck: custom } = check;
  if (http !== undefined) return compileHttp(context, http, [...path, 'httpHealthCheck']);
  if (tcp !== undefined) {
    const at = [...path, 'tcpHealthCheck'];
    return {
      kind: 'tcp',
      send: payload(context, tcp.send, [...at, 'send']),
      receive: payloads(context, tcp.receive, [...at, 'receive']),
      proxyProtocol:
        tcp.proxyProtocolConfig === undefined
          ? undefined
          : compileProxyProtocol(context, tcp.proxyProtocolConfig, [...at, 'proxyProtocolConfig']),
    };
  }
  if (grpc !== undefined) {
    const at = [...path, 'grpcHealthCheck'];
    if (!speaksHttp2) context.refuse(at, 'only a cluster that may speak HTTP/2 is checked by gRPC');
    return {
      kind: 'grpc',
      serviceName: grpc.serviceName ?? '',
      authority: wire(grpc.authority ?? ''),
      headers: {
        of: 'request',
        remove: [],
        changes: (grpc.initialMetadata ?? []).flatMap(
          (option, j) => compileHeaderChange(context, option, [...at, 'initialMetadata', j]) ?? [],
        ),
      },
    };
  }
  if (custom !== undefined) {
    const type = messageOf(custom.typedConfig?.['@type'] ?? '');
    if (type === REDIS) {
      const { key = '' } = custom.typedConfig as { readonly key?: string };
      return { kind: 'redis', key };
    }
    context.refuse(
      [...path, 'customHealthCheck', 'typedConfig'],
      `\`${type}\` is not a health check that is supported`,
    );
    return undefined;
  }
  context.refuse(path, 'must say how to check');
  return undefined;
}

function compileHttp(context: CompileContext, http: types.core.HealthCheck_HttpHealthCheck, at: Path): CheckProgram {
  if (http.path === undefined || http.path === '') context.refuse([...at, 'path'], 'must not be empty');
  const method = http.method === undefined || http.method === 'METHOD_UNSPECIFIED' ? 'GET' : http.method;
  if (method === 'CONNECT') context.refuse([...at, 'method'], 'must not be CONNECT');
  const send = payload(context, http.send, [...at, 'send']);
  if (send.length > 0 && !WITH_BODY.has(method))
    context.refuse([...at, 'send'], `a request of the method ${method} has no payload`);
  const expected = ranges(context, http.expectedStatuses, [...at, 'expectedStatuses']);
  const matcher = http.serviceNameMatcher;
  return {
    kind: 'http',
    host: wire(http.host ?? ''),
    path: wire(http.path ?? ''),
    method,
    send,
    receive: payloads(context, http.receive, [...at, 'receive']),
    responseBufferSize: Number(http.responseBufferSize ?? 1024),
    headers: compileMutations(context, http.requestHeadersToAdd, http.requestHeadersToRemove, at, 'request'),
    expectedStatuses: expected.length === 0 ? [[200, 201]] : expected,
    retriableStatuses: ranges(context, http.retriableStatuses, [...at, 'retriableStatuses']),
    serviceName:
      matcher === undefined ? undefined : compileString(context, matcher, [...at, 'serviceNameMatcher']).matches,
    http2: http.codecClientType === 'HTTP2',
  };
}

/** `[start, end)` pairs of statuses. */
function ranges(
  context: CompileContext,
  given: readonly types.envoyType.Int64Range[] | undefined,
  path: Path,
): (readonly [number, number])[] {
  return (given ?? []).map((range, i) => {
    const [start, end] = [Number(range.start ?? 0), Number(range.end ?? 0)];
    if (start >= end) context.refuse([...path, i], `${start} is not less than ${end}`);
    else if (start < 100) context.refuse([...path, i, 'start'], 'must be at least 100');
    else if (end > 600) context.refuse([...path, i, 'end'], 'must be at most 600');
    return [start, end];
  });
}

function payloads(
  context: CompileContext,
  given: readonly types.core.HealthCheck_Payload[] | undefined,
  path: Path,
): Buffer[] {
  return (given ?? []).map((one, i) => payload(context, one, [...path, i]));
}

/** `text` is hexadecimal. Empty when there is none. */
function payload(context: CompileContext, given: types.core.HealthCheck_Payload | undefined, path: Path): Buffer {
  if (given === undefined) return Buffer.alloc(0);
  if (given.text !== undefined) {
    if (given.text === '' || given.text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(given.text))
      context.refuse([...path, 'text'], `\`${given.text}\` is not hexadecimal`);
    return Buffer.from(given.text, 'hex');
  }
  if (given.binary === undefined) context.refuse(path, 'must say what');
  return Buffer.from(given.binary ?? '', 'base64');
}

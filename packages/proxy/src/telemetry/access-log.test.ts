import { describe, expect, test } from 'vitest';
import { Headers } from '../http/headers.ts';
import { CompileContext } from '../program/context.ts';
import { newStreamInfo } from '../program/offline-stream.ts';
import { testDeps } from '../program/testing/deps.ts';
import type { AccessLogFile, LogSource } from '../program/types.ts';
import { ResponseFlag, type ConnectionInfo, type StreamInfo } from '../types.ts';
import { compileAccessLogs, DEFAULT_FORMAT } from './access-log.ts';
import { timeFormat } from './access-log-time.ts';

const FILE = 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog';
const ISTIO =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% ' +
  '%DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" ' +
  '"%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% ' +
  '%DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n';

const connection: ConnectionInfo = {
  id: 7,
  directRemoteAddress: '127.1.0.2',
  remotePort: 4321,
  localAddress: '127.1.0.1',
  localPort: 8080,
  tls: {
    authenticated: true,
    uriSans: ['spiffe://cluster.local/ns/a/sa/b'],
    dnsSans: [],
    subject: '',
    localUriSan: 'spiffe://cluster.local/ns/c/sa/d',
    peerFingerprint: 'ab',
    peerCertificatePem: () => 'PEM',
    version: 'TLSv1.3',
    cipher: 'TLS_AES_128_GCM_SHA256',
  },
  requestedServerName: 'outbound_.80_._.c.a',
  applicationProtocol: '',
};

function source(change: Partial<StreamInfo> = {}): LogSource {
  const info: StreamInfo = Object.assign(newStreamInfo(connection), {
    startTime: 100,
    requestEndTime: 101,
    upstreamStartTime: 101,
    responseStartTime: 103.4,
    upstreamResponseTime: 103.4,
    responseEndTime: 104.6,
    startWall: Date.UTC(2026, 0, 31, 12, 0, 0, 7),
    bytesReceived: 3,
    bytesSent: 5,
    responseCode: 200,
    responseCodeDetails: 'via_upstream',
    upstreamCluster: 'inbound|8080||',
    upstreamHost: '127.0.0.1:9000',
    upstreamLocalAddress: '127.0.0.1:55555',
    routeName: 'default',
    ...change,
  });
  return {
    info,
    request: {
      method: 'GET',
      path: '/new?q=1',
      authority: 'catalog:8080',
      scheme: 'http',
      headers: new Headers([
        'x-envoy-original-path',
        '/old?q=1',
        'user-agent',
        'curl/8',
        'x-request-id',
        'id-1',
        'x-a',
        '1',
        'x-a',
        '2',
      ]),
    },
    response: { status: 200, headers: new Headers(['x-envoy-upstream-service-time', '3']) },
  };
}

function compile(logFormat: object, filter?: object) {
  const context = new CompileContext('t', 'r', {
    ...testDeps,
    env: (name) => (name === 'POD' ? 'orders-1' : undefined),
  });
  const logs = compileAccessLogs(
    context,
    [{ name: 'l', filter, typedConfig: { '@type': FILE, path: '/dev/stdout', ...logFormat } }],
    ['accessLog'],
  );
  const log = logs[0]?.target as AccessLogFile;
  return { log, shouldLog: logs[0]?.shouldLog, nacks: context.nacks };
}
const text = (inlineString: string): object => ({ logFormat: { textFormatSource: { inlineString } } });

test('Istio’s default format', () => {
  expect(compile(text(ISTIO)).log.format(source())).toBe(
    '[2026-01-31T12:00:00.007Z] "GET /old?q=1 HTTP/1.1" 200 - via_upstream - "-" 3 5 5 3 "-" "curl/8" "id-1" "catalog:8080" ' +
      '"127.0.0.1:9000" inbound|8080|| 127.0.0.1:55555 127.1.0.1:8080 127.1.0.2:4321 outbound_.80_._.c.a default\n',
  );
});

test('Envoy’s own format is the default', () => {
  expect(compile({}).log.format(source())).toBe(compile({ format: DEFAULT_FORMAT }).log.format(source()));
});

test('a TCP connection has no request', () => {
  const { info } = source({
    protocol: '',
    responseFlags: ResponseFlag.UF | ResponseFlag.URX,
    upstreamFailureReason: 'connection refused',
    responseCode: 0,
  });
  expect(
    compile(
      text(
        '%REQ(:METHOD)% %PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_FLAGS_LONG% %UPSTREAM_TRANSPORT_FAILURE_REASON%',
      ),
    ).log.format({ info }),
  ).toBe('- - 0 UF,URX UpstreamConnectionFailure,UpstreamRetryLimitExceeded connection_refused');
});

test.each([
  ['%%', '%'],
  ['%REQ(X-A)%', '1'],
  ['%REQ(USER-AGENT):4%', 'curl'],
  ['%REQ(X-NONE?USER-AGENT)%', 'curl/8'],
  ['%QUERY_PARAM(q)%', '1'],
  ['%PATH(NQ:ORIG)% %PATH(WQ:PATH)% %PATH(NQ)%', '/old /new?q=1 /old'],
  ['%RESPONSE_DURATION% %RESPONSE_TX_DURATION% %REQUEST_DURATION%', '3 1 1'],
  ['%COMMON_DURATION(DS_RX_BEG:US_RX_BEG:us)%', '3400'],
  ['%START_TIME(%Y/%m/%dT%H:%M:%S.%3f%z)%', '2026/01/31T12:00:00.007+0000'],
  ['%START_TIME(%s.%f)%', '1769860800.007000000'],
  [
    '%DOWNSTREAM_PEER_URI_SAN% %DOWNSTREAM_LOCAL_URI_SAN% %DOWNSTREAM_TLS_VERSION%',
    'spiffe://cluster.local/ns/a/sa/b spiffe://cluster.local/ns/c/sa/d TLSv1.3',
  ],
  ['%DOWNSTREAM_LOCAL_PORT% %UPSTREAM_REMOTE_PORT% %CONNECTION_ID%', '8080 9000 7'],
  ['%ENVIRONMENT(POD)% %ENVIRONMENT(NONE)%', 'orders-1 -'],
  ['%DYNAMIC_METADATA(f:a:b)% %DYNAMIC_METADATA(f:a)% %DYNAMIC_METADATA(g)%', '1 {"a":0,"b":1} -'],
  ['%RESP(:STATUS)%', '200'],
])('%s', (format, expected) => {
  const made = compile(text(format));
  expect(made.nacks).toEqual([]);
  expect(made.log.format(source({ dynamicMetadata: { f: { a: { b: 1, a: 0 } } } }))).toBe(expected);
});

test('JSON keeps types, sorts keys and has null for what is absent', () => {
  const jsonFormat = {
    z: '%RESPONSE_CODE%',
    a: { c: ['%DURATION%', '%REQ(x-none)%'], b: 'x-%PROTOCOL%' },
    n: '%REQ(x-none)%',
    t: '%REQ(x-none)% %REQ(:METHOD)%',
    five: 5,
  };
  expect(compile({ logFormat: { jsonFormat } }).log.format(source())).toBe(
    '{"a":{"b":"x-HTTP/1.1","c":[5,null]},"five":5,"n":null,"t":"- GET","z":200}\n',
  );
  expect(compile({ logFormat: { jsonFormat, omitEmptyValues: true } }).log.format(source())).toBe(
    '{"a":{"b":"x-HTTP/1.1","c":[5]},"five":5,"t":" GET","z":200}\n',
  );
  expect(compile({ jsonFormat: { z: '%RESPONSE_CODE%', n: '%REQ(x-none)%' } }).log.format(source())).toBe(
    '{"n":"-","z":"200"}\n',
  );
});

test.each([
  '%NO_SUCH%',
  '%REQ%',
  '%PROTOCOL:3%',
  '% %',
  '%RESPONSE_CODE(x)%',
  'x %REQ(a?b?c)%',
  '%REQ(a b)%',
  '%REQ(:)%',
  '%DURATION',
])('refuses %s', (format) => {
  expect(compile(text(format)).nacks).toHaveLength(1);
});

describe('filters', () => {
  const flags = (...names: string[]): object => ({ responseFlagFilter: { flags: names } });
  const status = (op: string, defaultValue: number): object => ({
    statusCodeFilter: { comparison: { op, value: { defaultValue, runtimeKey: 'k' } } },
  });
  test.each([
    [status('GE', 400), { responseCode: 404 }, true],
    [status('GE', 400), {}, false],
    [status('LE', 200), {}, true],
    [status('NE', 200), {}, false],
    [{ durationFilter: { comparison: { op: 'GE', value: { defaultValue: 5 } } } }, {}, true],
    [{ headerFilter: { header: { name: 'x-a', stringMatch: { exact: '2' } } } }, {}, true],
    [flags(), {}, false],
    [flags(), { responseFlags: ResponseFlag.NR }, true],
    [flags('UH', 'UF'), { responseFlags: ResponseFlag.NR }, false],
    [{ andFilter: { filters: [status('EQ', 200), flags('NR')] } }, { responseFlags: ResponseFlag.NR }, true],
    [{ orFilter: { filters: [status('EQ', 404), flags('NR')] } }, {}, false],
    [{ logTypeFilter: { types: ['NotSet'] } }, {}, true],
    [{ logTypeFilter: { types: ['DownstreamEnd'] } }, {}, false],
  ])('%j', (filter, change, expected) => {
    const { shouldLog, nacks } = compile({}, filter);
    expect(nacks).toEqual([]);
    expect(shouldLog!(source(change))).toBe(expected);
  });
});

test.each([
  ['%a %A %b %B %e %I:%M %p %P %k %l', 'Thu Thursday Feb February 29 12:05 AM am  0 12'],
  ['%j %u %w %y %C %G %g %V %U %W', '060 4 4 24 20 2024 24 09 08 09'],
  [
    '%D %F %T %R %r %c %x %X',
    '02/29/24 2024-02-29 00:05:09 00:05 12:05:09 AM Thu Feb 29 00:05:09 2024 02/29/24 00:05:09',
  ],
  ['%f %6f %1f %%3f', '120000000 120000 1 %120'],
  ['%E3S %E*S %E0S %E12S %E*f %E2f %E4Y %ET', '09.120 09.12 09 09.120000000000 12 12 2024 T'],
  ['%z %Ez %E*z %:z %::z %:::z %Z', '+0000 +00:00 +00:00:00 +00:00 +00:00:00 +00 UTC'],
  ['%Od %Ey %3S %-d %-H %_H %5Y %3s', '29 24 009 29 0  0 02024 1709165109'],
  ['%q %E %O %i %4 %', '%q %E %O %i   %4 %'],
])('times in strftime’s format: %s', (format, text) => {
  expect(timeFormat(format)(Date.UTC(2024, 1, 29, 0, 5, 9, 120))).toBe(text);
});

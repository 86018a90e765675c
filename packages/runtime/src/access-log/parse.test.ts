import { DEFAULT_JSON_FORMAT } from '@mizzen/translator/filters/access-log-format.ts';
import { expect, test } from 'vitest';
import { parseAccessLine } from './parse.ts';

const line = (more: { readonly request?: string; readonly agent?: string; readonly rest?: string } = {}): string =>
  `[2026-01-02T03:04:05.678Z] "${more.request ?? 'GET /a?b=c HTTP/1.1'}" 503 UF,URX upstream_reset{connection_failure} - ` +
  `"delayed connect error: 111" 12 34 56 - "-" "${more.agent ?? 'curl/8'}" "id-1" "web:80" "127.64.0.9:8080" ` +
  (more.rest ?? 'outbound|80||web.default.svc.cluster.local 127.0.0.1:1 127.192.0.7:15080 127.0.0.1:2 - default');

test('Istio’s own text', () => {
  expect(parseAccessLine(line())).toEqual({
    time: '2026-01-02T03:04:05.678Z',
    method: 'GET',
    path: '/a?b=c',
    protocol: 'HTTP/1.1',
    status: 503,
    flags: 'UF,URX',
    details: 'upstream_reset{connection_failure}',
    bytesReceived: 12,
    bytesSent: 34,
    duration: 56,
    requestId: 'id-1',
    traceId: '',
    authority: 'web:80',
    upstreamHost: '127.64.0.9:8080',
    upstreamCluster: 'outbound|80||web.default.svc.cluster.local',
    downstreamLocalAddress: '127.192.0.7:15080',
    downstreamRemoteAddress: '127.0.0.1:2',
    requestedServerName: '',
  });
  expect(parseAccessLine(line({ agent: 'a "quoted" one' }))).toMatchObject({ requestId: 'id-1', duration: 56 });
  expect(parseAccessLine(line({ request: '- - -', rest: '- - 127.0.0.1:1 - - -' }))).toMatchObject({
    method: '',
    path: '',
    upstreamCluster: '',
    downstreamLocalAddress: '127.0.0.1:1',
  });
});

test('Istio’s own JSON, with a trace where somebody added it', () => {
  const names = Object.keys(DEFAULT_JSON_FORMAT);
  const empty = JSON.stringify(Object.fromEntries(names.map((name) => [name, null])));
  expect(parseAccessLine(empty)).toBeUndefined();
  const entry = { start_time: '2026-01-02T03:04:05.678Z', method: 'GET', path: '/a', response_code: 200, duration: 3 };
  const more = { upstream_cluster: 'inbound|8080||', request_id: 'id-1', trace_id: 'f00', bytes_sent: -3 };
  for (const name of Object.keys({ ...entry, ...more })) if (name !== 'trace_id') expect(names).toContain(name);
  expect(parseAccessLine(JSON.stringify({ ...entry, ...more }))).toMatchObject({
    status: 200,
    duration: 3,
    requestId: 'id-1',
    traceId: 'f00',
    upstreamCluster: 'inbound|8080||',
    bytesSent: 0,
  });
});

test.each(['', 'GET /a 200', '{"status": 200}', '{half', `${line()} more`, line().slice(1)])(
  'another format: %s',
  (text) => expect(parseAccessLine(text)).toBeUndefined(),
);

test('a line that is none of it, however many quotes a client has put into it, is told from one', () => {
  const part = 'x" 200 - - - "" 0 0 0 - "x" "x" "';
  const hostile = part.repeat(800);
  for (const rest of ['a', 'outbound|80||web "', '- '.repeat(900)]) {
    expect(parseAccessLine(line({ request: `GET /${hostile} HTTP/1.1`, agent: hostile, rest }).slice(0, 32_000))).toBe(
      undefined,
    );
  }
  expect(parseAccessLine(line({ agent: hostile }))).toMatchObject({ status: 503, requestId: 'id-1', duration: 56 });
  // Looked for at every quote, what is not there would take longer than all the tests.
}, 20_000);

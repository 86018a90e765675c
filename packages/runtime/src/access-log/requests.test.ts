import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '@mizzen/testkit';
import { ControlProcess } from '../control/testing/control-process.ts';
import type { LogsAnswer, RequestsAnswer } from '../api/types.ts';

const deployment = (name: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: web, ports: [{ containerPort: 8080 }] }] }
---
`;
const SYSTEM = `${deployment('client')}${deployment('web')}apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
`;
const TELEMETRY = `---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: logs }
spec: { accessLogging: [{ providers: [{ name: envoy }] }] }
`;
let control: ControlProcess;
let api: string;

beforeAll(async () => {
  control = new ControlProcess({ 'system.yaml': SYSTEM });
  control.start();
  api = await control.api();
  await control.run();
  mkdirSync(join(control.folder, 'state', 'logs'), { recursive: true });
});
afterAll(() => control.remove());

const validate = new Ajv2020({ strict: true }).compile(
  JSON.parse(readFileSync(join(repositoryRoot, 'docs/reference/schemas/requests.schema.json'), 'utf8')) as object,
);
async function requests(workload: string, from?: number): Promise<RequestsAnswer> {
  const query = from === undefined ? '' : `?from=${from}`;
  const answer = (await (await fetch(`${api}/api/workloads/default/${workload}/requests${query}`)).json()) as object;
  expect(validate(answer), JSON.stringify(validate.errors)).toBe(true);
  return answer as RequestsAnswer;
}
const validateLogs = new Ajv2020({ strict: true }).compile(
  JSON.parse(readFileSync(join(repositoryRoot, 'docs/reference/schemas/logs.schema.json'), 'utf8')) as object,
);
async function logs(workload: string): Promise<LogsAnswer> {
  const answer = (await (await fetch(`${api}/api/workloads/default/${workload}/logs?source=access`)).json()) as object;
  expect(validateLogs(answer), JSON.stringify(validateLogs.errors)).toBe(true);
  return answer as LogsAnswer;
}
const podOf = (workload: string): { address: string; name: string } =>
  control.pods.find(({ owner }) => owner.name === workload)!;

/** As a proxy writes it; `time` in milliseconds. */
function log(
  workload: string,
  time: number,
  id: string,
  places: readonly [up: string, cluster: string, local: string],
): void {
  const [up, cluster, local] = places;
  const text =
    `[${new Date(time).toISOString()}] "GET /${id} HTTP/1.1" 200 - via_upstream - "-" 0 5 4 3 "-" "node" "${id}" "web" ` +
    `"${up}" ${cluster} 127.0.0.1:9 ${local} 127.0.0.1:10 - default\n`;
  appendFileSync(join(control.folder, 'state', 'logs', `default.${workload}.access.log`), text);
}

test('who sent it is known once the sender has logged it, and waited for no longer than that takes', async () => {
  const web = `${podOf('web').address}:8080`;
  const inbound = ['127.0.0.1:20000', 'inbound|8080||', web] as const;
  const outbound = [web, 'outbound|80||web.default.svc.cluster.local', '127.0.0.1:3'] as const;
  expect(await requests('web')).toEqual({ position: 0, logging: false, unread: 0, requests: [] });
  log('web', 0, 'old', inbound);
  // Ended a minute from now: waited for as long as this test takes.
  log('web', Date.now() + 60_000, 'new', inbound);
  const first = await requests('web');
  expect(first.requests).toMatchObject([
    { path: '/old', direction: 'inbound', peer: '', address: '127.0.0.1:10', pod: podOf('web').name, traceId: '' },
  ]);
  expect(await requests('web', first.position)).toEqual({ ...first, requests: [] });
  log('client', 0, 'new', outbound);
  const second = await requests('web', first.position);
  expect(second.requests).toMatchObject([{ requestId: 'new', peer: 'default/client', status: 200, duration: 4 }]);
  expect((await requests('client')).requests).toMatchObject([
    { direction: 'outbound', peer: 'default/web', address: web },
  ]);
  log('web', 0, 'next', inbound);
  expect((await requests('web', second.position)).requests.map(({ requestId }) => requestId)).toEqual(['next']);
});

test('lines of the log say what was asked for, so that it can be explained, wherever it is known who asked', async () => {
  const asked = { method: 'GET', url: 'http://web/new', pod: 'client', namespace: 'default', gateway: false };
  expect((await logs('client')).lines).toMatchObject([{ text: expect.stringContaining('GET /new'), request: asked }]);
  const [old, line] = (await logs('web')).lines;
  expect(old).toEqual({ time: '', pod: '', container: '', stream: 'stdout', text: expect.stringContaining('/old') });
  expect(line).toMatchObject({ text: expect.stringContaining('/new'), request: asked });
});

test('lines of another format are counted; whether there is a log is told', async () => {
  const { position } = await requests('web');
  appendFileSync(join(control.folder, 'state', 'logs', 'default.web.access.log'), 'GET 200\nhalf');
  expect(await requests('web', position)).toMatchObject({ unread: 1, requests: [], position: position + 8 });
  expect((await logs('web')).lines.at(-1)).toMatchObject({ text: 'GET 200' });
  expect((await fetch(`${api}/api/workloads/default/web/requests?from=x`)).status).toBe(400);
  expect((await fetch(`${api}/api/workloads/default/absent/requests`)).status).toBe(404);
  control.write('system.yaml', SYSTEM + TELEMETRY);
  await expect.poll(async () => (await requests('web')).logging).toBe(true);
});

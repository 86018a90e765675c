import {
  chmodSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '@mizzen/testkit';
import type { BecomesAnswer, FileAnswer, PreviewAnswer, RoutesAnswer } from '../config/types.ts';
import { ControlProcess } from '../control/testing/control-process.ts';

const deployment = (version: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: web-${version} }
spec:
  selector: { matchLabels: { app: web, version: ${version} } }
  template:
    metadata: { labels: { app: web, version: ${version} } }
    spec: { containers: [{ name: web, ports: [{ containerPort: 8080 }] }] }
---
`;
const WORKLOADS = `${deployment('v1')}${deployment('v2')}apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
`;
const ROUTES = `# how requests are split
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: web }
spec:
  host: web
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec:
  hosts: [web]
  http:
    - route:
        - destination: { host: web, subset: v1 }
          weight: 90 # most
        - destination: { host: web, subset: v2 }
          weight: 10
`;
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { password: secret }\n';

let control: ControlProcess;
let api: string;
beforeAll(async () => {
  control = new ControlProcess({ 'workloads.yaml': WORKLOADS, 'routes.yaml': ROUTES, 'secret.yaml': SECRET });
  control.start();
  api = await control.api();
  await control.run();
});
afterAll(() => control.remove());

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
function checked<T>(schema: string, value: unknown): T {
  const text = readFileSync(join(repositoryRoot, `docs/reference/schemas/${schema}.schema.json`), 'utf8');
  const validate = ajv.compile(JSON.parse(text) as object);
  expect(validate(value), JSON.stringify(validate.errors)).toBe(true);
  return value as T;
}
interface Answer {
  readonly status: number;
  readonly body: unknown;
}
async function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${api}/api/config/${path}`, { headers });
  return { status: response.status, body: await response.json() };
}
async function post(path: string, body: object): Promise<Answer> {
  const headers = { authorization: `Bearer ${control.token}` };
  const response = await fetch(`${api}/api/config/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}
const preview = async (text: string, file = 'mesh/routes.yaml'): Promise<PreviewAnswer> =>
  checked('config-preview', (await post('preview', { file, text })).body);
const file = async (name = 'mesh/routes.yaml'): Promise<FileAnswer> =>
  checked('config-file', (await get(`file?file=${name}`, { authorization: `Bearer ${control.token}` })).body);
const onDisk = (name = 'routes.yaml'): string => readFileSync(join(control.folder, 'mesh', name), 'utf8');
const code = ({ status, body }: Answer): unknown => [status, (body as { error?: { code: string } }).error?.code];

test('files of the mesh, and nothing else, can be read; secrets by those alone who know the token', async () => {
  expect((await get('files')).body).toEqual({
    files: ['mesh/routes.yaml', 'mesh/secret.yaml', 'mesh/workloads.yaml'],
  });
  expect(await file()).toMatchObject({ text: ROUTES, writable: true });
  expect(code(await get('file?file=state/token'))).toEqual([404, 'not-found']);
  expect(code(await get('file?file=mesh/../mesh/routes.yaml'))).toEqual([404, 'not-found']);
  expect((await get('file?file=mesh/workloads.yaml')).body).toMatchObject({ text: WORKLOADS });
  chmodSync(join(control.folder, 'mesh/workloads.yaml'), 0o600);
  for (const name of ['secret', 'workloads'])
    expect(code(await get(`file?file=mesh/${name}.yaml`))).toEqual([401, 'token-missing']);
  chmodSync(join(control.folder, 'mesh/workloads.yaml'), 0o644);
  // A kind that no expression finds is that of what was read.
  const hidden = SECRET.replace('kind: Secret', String.raw`kind: "\x53ecret"`).replace('name: s', 'name: hidden');
  for (const [name, kind] of [
    ['tagged', SECRET.replace('kind: Secret', 'kind: !!str Secret')],
    ['block', SECRET.replace('kind: Secret', 'kind: >-\n  Secret')],
    ['escaped', hidden],
  ] as const) {
    writeFileSync(join(control.folder, `mesh/${name}.yaml`), kind.replace('name: s', `name: ${name}`));
    await expect.poll(async () => code(await get(`file?file=mesh/${name}.yaml`))).toEqual([401, 'token-missing']);
    rmSync(join(control.folder, `mesh/${name}.yaml`));
  }
  const trusted = await get('file?file=mesh/secret.yaml', { authorization: `Bearer ${control.token}` });
  expect(trusted.body).toMatchObject({ text: SECRET });
});

test('a text that is longer than any is refused in words, and does not keep its connection from others', async () => {
  const text = '# long\n'.repeat(800_000);
  for (let i = 0; i < 4; i++) {
    expect(code(await post('preview', { file: 'mesh/routes.yaml', text }))).toEqual([413, 'too-long']);
    expect((await get('files')).status).toBe(200);
  }
});

test('an edit is told by what it changes, and changes nothing', async () => {
  const same = await preview(ROUTES.replace('# how', '# as'));
  expect(same).toMatchObject({ diagnostics: [], xds: [], workloads: [], concerned: [], xdsTotal: 0 });
  const shifted = await preview(ROUTES.replace('weight: 90', 'weight: 50').replace('weight: 10', 'weight: 50'));
  expect(shifted.resources).toEqual({
    added: [],
    modified: [expect.stringMatching(/VirtualService.*web/)],
    removed: [],
    lastGood: [],
    refused: [],
  });
  expect(shifted.concerned).toEqual(['default/web-v1', 'default/web-v2']);
  expect(shifted.xds).toMatchObject([{ type: 'route', change: 'modified', proxies: ['web-v1-0', 'web-v2-0'] }]);
  expect(JSON.stringify(shifted.xds[0]?.before)).toContain('"weight":90');
  expect(JSON.stringify(shifted.xds[0]?.after)).not.toContain('"weight":90');
  expect(onDisk()).toBe(ROUTES);
  expect((await preview(ROUTES)).xdsTotal).toBe(0);
});

test('what is wrong is told in its place, and what stays in force', async () => {
  const wrong = await preview(ROUTES.replace('weight: 10', 'weight: -1'));
  expect(wrong.diagnostics).toMatchObject([{ severity: 'error', file: 'mesh/routes.yaml', line: 21 }]);
  expect(wrong.resources.lastGood).toEqual([expect.stringContaining('web')]);
  expect(wrong.xds).toEqual([]);
  const broken = await preview(`${ROUTES}   :\n  - [`);
  expect(broken.diagnostics.map(({ severity }) => severity)).toContain('error');
});

test('workloads that an edit starts, ends or replaces', async () => {
  const text = WORKLOADS.replace(deployment('v2'), '').replace(
    'name: web, ports',
    'name: web, env: [{name: A, value: b}], ports',
  );
  const { workloads } = await preview(`${text}---\n${deployment('v3')}`, 'mesh/workloads.yaml');
  expect(workloads).toEqual([
    { workload: 'default/web-v1', change: 'restarts' },
    { workload: 'default/web-v3', change: 'starts' },
    { workload: 'default/web-v2', change: 'ends' },
  ]);
});

test('what a resource becomes, with the lines that it comes from', async () => {
  const { resources } = checked<BecomesAnswer>(
    'config-xds',
    (await get('xds?kind=VirtualService&namespace=default&name=web')).body,
  );
  expect(resources).toMatchObject([{ type: 'route', name: 'http_proxy', proxies: ['web-v1-0', 'web-v2-0'] }]);
  expect(resources[0]?.parts[0]).toMatchObject({ source: expect.stringMatching(/^mesh\/routes\.yaml:1\d$/) });
  expect(JSON.stringify(resources[0]?.parts)).toContain('outbound|80|v2|web.default.svc.cluster.local');
  const rule = checked<BecomesAnswer>(
    'config-xds',
    (await get('xds?kind=DestinationRule&namespace=default&name=web')).body,
  );
  expect(rule.resources.map(({ type, name }) => [type, name])).toContainEqual([
    'cluster',
    'outbound|80|v2|web.default.svc.cluster.local',
  ]);
  expect((await get('xds?kind=DestinationRule&namespace=default&name=absent')).body).toEqual({
    resources: [],
    total: 0,
  });
  expect((await get('xds')).status).toBe(400);
});

test('weights and faults are edited in the text, by what the routes are', async () => {
  const { virtualServices } = checked<RoutesAnswer>('config-routes', (await get('routes')).body);
  expect(virtualServices).toMatchObject([
    {
      name: 'web',
      file: 'mesh/routes.yaml',
      line: 13,
      routes: [
        {
          index: 0,
          match: '',
          destinations: [{ subset: 'v1', weight: 90, labels: { version: 'v1' } }, { weight: 10 }],
        },
      ],
    },
  ]);
  const web = { namespace: 'default', name: 'web', route: 0, text: ROUTES };
  const shifted = await post('edit', { ...web, weights: [30, 70] });
  expect(shifted.body).toEqual({
    text: ROUTES.replace('weight: 90', 'weight: 30').replace('weight: 10', 'weight: 70'),
  });
  const faulty = await post('edit', { ...web, fault: { abort: { percentage: 5, httpStatus: 503 } } });
  expect((await preview((faulty.body as { text: string }).text)).diagnostics).toEqual([]);
  expect(code(await post('edit', { ...web, weights: [1] }))).toEqual([409, 'stale']);
  for (const bad of [{ weights: [-1, 101] }, {}, { fault: {} }, { fault: { abort: { percentage: 5 } } }, { route: -1 }])
    expect(code(await post('edit', { ...web, ...bad }))).toEqual([400, 'invalid']);
});

test('a file is written in one go, and taken from there; one that changed meanwhile is not', async () => {
  chmodSync(join(control.folder, 'mesh/routes.yaml'), 0o640);
  const { version } = await file();
  const text = ROUTES.replace('weight: 90', 'weight: 60').replace('weight: 10', 'weight: 40');
  const seen = control.messages.length;
  const written = await post('apply', { file: 'mesh/routes.yaml', text, version });
  expect(written.status).toBe(200);
  expect(onDisk()).toBe(text);
  expect(statSync(join(control.folder, 'mesh/routes.yaml')).mode & 0o777).toBe(0o640);
  expect(readdirSync(join(control.folder, 'mesh'))).toEqual(['routes.yaml', 'secret.yaml', 'workloads.yaml']);
  await control.saw('change', seen, ({ changed }) => changed.some((name) => name.includes('web')));
  expect((await file()).version).toBe(checked<{ version: string }>('config-written', written.body).version);
  control.write('routes.yaml', ROUTES);
  expect(
    code(
      await post('apply', { file: 'mesh/routes.yaml', text, version: (written.body as { version: string }).version }),
    ),
  ).toEqual([409, 'stale']);
  expect(onDisk()).toBe(ROUTES);
  expect(code(await post('apply', { file: 'mesh/new.yaml', text, version }))).toEqual([409, 'stale']);
  expect(code(await post('apply', { file: 'elsewhere/new.yaml', text, version: '' }))).toEqual([404, 'not-found']);
  expect(code(await post('apply', { file: 'mesh/.new.yaml', text, version: '' }))).toEqual([404, 'not-found']);
});

test('errors are written only by who means it, and the last good version stays in force', async () => {
  const { version } = await file();
  const text = ROUTES.replace('weight: 10', 'weight: -1');
  expect(code(await post('apply', { file: 'mesh/routes.yaml', text, version }))).toEqual([422, 'has-errors']);
  expect(onDisk()).toBe(ROUTES);
  const forced = await post('apply', { file: 'mesh/routes.yaml', text, version, force: true });
  expect(forced.status).toBe(200);
  expect(onDisk()).toBe(text);
  const state = async (): Promise<string | undefined> =>
    ((await get('status')).body as { resources: { kind: string; state: string }[] }).resources.find(
      ({ kind }) => kind === 'VirtualService',
    )?.state;
  await expect.poll(state).toBe('last good');
  await post('apply', {
    file: 'mesh/routes.yaml',
    text: ROUTES,
    version: (forced.body as { version: string }).version,
  });
  await expect.poll(state).toBe('in force');
});

test('a link stays a link', async () => {
  renameSync(join(control.folder, 'mesh/routes.yaml'), join(control.folder, 'real.yaml'));
  symlinkSync('../real.yaml', join(control.folder, 'mesh/routes.yaml'));
  const { version } = await file();
  const text = `${ROUTES}# more\n`;
  expect((await post('apply', { file: 'mesh/routes.yaml', text, version })).status).toBe(200);
  expect(lstatSync(join(control.folder, 'mesh/routes.yaml')).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(control.folder, 'real.yaml'), 'utf8')).toBe(text);
});

test('changes want the token, which a code gives once', async () => {
  for (const path of ['config/preview', 'config/apply', 'config/edit', 'console/code'])
    expect((await fetch(`${api}/api/${path}`, { method: 'POST', body: '{}' })).status).toBe(401);
  const headers = { authorization: `Bearer ${control.token}` };
  const issued = (await (await fetch(`${api}/api/console/code`, { method: 'POST', headers })).json()) as {
    code: string;
  };
  const asked = (given: string): Promise<Response> =>
    fetch(`${api}/api/console/token`, { headers: { authorization: `Bearer ${given}` } });
  expect((await asked(control.token)).status).toBe(200);
  expect([(await asked('other')).status, await (await asked('other')).json()]).toMatchObject([
    403,
    { error: { code: 'token-wrong' } },
  ]);
  const redeem = (): Promise<Response> => fetch(`${api}/api/console/token?code=${issued.code}`);
  expect(await (await redeem()).json()).toEqual({ token: control.token });
  expect((await redeem()).status).toBe(403);
});

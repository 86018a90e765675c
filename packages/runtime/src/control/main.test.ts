import { afterEach, beforeEach, expect, test } from 'vitest';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TypeUrl } from '@mizzen/xds';
import { ControlProcess } from './testing/control-process.ts';

const SYSTEM = `apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web-v1 }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web, version: v1 } }
    spec: { serviceAccountName: web, containers: [{ name: web, ports: [{ containerPort: 8080 }] }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: client }
spec:
  selector: { matchLabels: { app: client } }
  template:
    metadata: { labels: { app: client } }
    spec: { containers: [{ name: client, ports: [{ containerPort: 9090 }] }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: front }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }]
`;
const route = (timeout: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec:
  hosts: [web]
  http:
    - route: [{ destination: { host: web } }]
      timeout: ${timeout}
`;

let control: ControlProcess;
beforeEach(() => {
  control = new ControlProcess({ 'system.yaml': SYSTEM, 'route.yaml': route('1s') });
});
afterEach(() => control.remove());

test('every proxy gets its configuration and a certificate of its own', async () => {
  control.start();
  await control.run();
  expect((await control.saw('notice')).text).toBe(
    'Gateway `front` selects no workload: started istio-ingressgateway in istio-system',
  );
  const client = await control.connect();
  await control.settled(client);
  expect(JSON.stringify(client.get('client-0', TypeUrl.route, 'http_proxy'))).toContain('"timeout":"1s"');
  expect(
    JSON.stringify(client.get('client-0', TypeUrl.endpoint, 'outbound|8080||web.default.svc.cluster.local')),
  ).toContain('127.90.0.1');
  const names = ['web-v1-0', 'web-v1-1', 'client-0', 'istio-ingressgateway-0'].map((pod) => {
    const secret = client.get(pod, TypeUrl.secret, 'default') as {
      tlsCertificate: { certificateChain: { inlineBytes: string } };
    };
    return new X509Certificate(Buffer.from(secret.tlsCertificate.certificateChain.inlineBytes, 'base64'))
      .subjectAltName;
  });
  expect(names).toEqual([
    'URI:spiffe://cluster.local/ns/default/sa/web',
    'URI:spiffe://cluster.local/ns/default/sa/web',
    'URI:spiffe://cluster.local/ns/default/sa/default',
    'URI:spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account',
  ]);
});

test('the metrics of the control plane are at /metrics', async () => {
  control.start();
  await control.run();
  await control.connect();
  const read = async (): Promise<string[]> => {
    const answer = await fetch(`${await control.api()}/metrics`);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    return (await answer.text()).split('\n');
  };
  const wanted = [
    'pilot_xds{version="unknown"} 4',
    'istio_build{component="pilot",tag="0.1.0"} 1',
    'pilot_virt_services 1',
    'pilot_k8s_cfg_events{type="VirtualService",event="add"} 1',
    'pilot_xds_pushes{type="lds"} 4',
    'citadel_server_success_cert_issuance_count 4',
  ];
  await expect.poll(read).toEqual(expect.arrayContaining(wanted));
  const lines = await read();
  for (const name of ['pilot_pushcontext_init_seconds_count', 'pilot_services', 'process_cpu_seconds_total'])
    expect(
      lines.find((line) => line.startsWith(`${name} `)),
      name,
    ).toMatch(/ (?!0$)/);
});

test('a change is in force everywhere, and only what it touches is sent', async () => {
  control.start();
  await control.run();
  const client = await control.connect();
  await control.settled(client);
  for (const timeout of ['2s', '3s', '4s']) {
    client.log.length = 0;
    const after = control.messages.length;
    control.write('route.yaml', route(timeout));
    const { proxies } = await control.saw('converged', after);
    expect(proxies).toBe(3);
    expect((await control.saw('change', after)).changed).toEqual(['VirtualService default/web']);
    expect(client.log.toSorted()).toEqual(['client-0', 'web-v1-0', 'web-v1-1'].map((pod) => `${pod} route http_proxy`));
    expect(JSON.stringify(client.get('client-0', TypeUrl.route, 'http_proxy'))).toContain(`"timeout":"${timeout}"`);
  }
});

test('a bad resource is refused with its place; its last good version and everything else stay', async () => {
  control.start();
  await control.run();
  const client = await control.connect();
  await control.settled(client);
  client.log.length = 0;
  const after = control.messages.length;
  control.write('route.yaml', route('soon'));
  const { rendered } = await control.saw('change', after);
  expect(rendered[0]).toMatch(/^error\[\w+\] mesh\/route\.yaml:8:16 {2}.*`soon`/);
  expect(rendered.at(-1)).toBe('VirtualService default/web: its last good version stays in force');
  await control.settled(client);
  expect(client.log).toEqual([]);
  control.write('route.yaml', route('7s'));
  await expect
    .poll(() => JSON.stringify(client.get('client-0', TypeUrl.route, 'http_proxy')))
    .toContain('"timeout":"7s"');
});

test('pods that come and go change endpoints, and the supervisor hears when every proxy knows', async () => {
  control.start();
  await control.run();
  const client = await control.connect();
  await control.settled(client);
  client.log.length = 0;
  control.pods = control.pods.map((pod) =>
    pod.name === 'web-v1-0' ? { ...pod, terminating: true, ready: false } : pod,
  );
  await control.report();
  const endpoints = 'outbound|8080||web.default.svc.cluster.local';
  expect(JSON.stringify(client.get('client-0', TypeUrl.endpoint, endpoints))).not.toContain('127.90.0.1"');
  expect(client.log.filter((line) => !line.includes(' endpoint '))).toEqual([]);
});

test('killed and started again, it sends nothing, and later changes as before', async () => {
  control.start();
  await control.run();
  const client = await control.connect();
  await control.settled(client);
  client.log.length = 0;
  await control.kill();
  control.start();
  await control.saw('listening');
  await control.report();
  await control.settled(client);
  expect(client.log).toEqual([]);
  expect((await fetch(`${await control.api()}/api/workloads`)).status).toBe(200);
  control.write('route.yaml', route('9s'));
  await control.saw('converged', 0, ({ proxies }) => proxies === 3);
  expect(JSON.stringify(client.get('client-0', TypeUrl.route, 'http_proxy'))).toContain('"timeout":"9s"');
});

test('started again while a file is broken, it goes on with what was in force', async () => {
  control.start();
  await control.run();
  const client = await control.connect();
  await control.settled(client);
  control.write('route.yaml', route('8s'));
  await control.saw('converged');
  const lastGood = join(control.folder, 'state/last-good.json');
  await expect.poll(() => existsSync(lastGood) && readFileSync(lastGood, 'utf8')).toContain('timeout: 8s');
  client.log.length = 0;
  control.write('route.yaml', `${route('9s')}  - [\n`);
  await control.kill();
  control.start();
  expect((await control.saw('change')).rendered.at(-1)).toBe(
    'VirtualService default/web: its last good version stays in force',
  );
  await control.saw('listening');
  await control.report();
  await control.settled(client);
  expect(client.log).toEqual([]);
  control.write('route.yaml', '# nothing any more\n');
  await control.saw('converged', 0, ({ proxies }) => proxies === 3);
  expect(JSON.stringify(client.get('client-0', TypeUrl.route, 'http_proxy'))).not.toContain('"timeout":"8s"');
});

test('told to end just after a change, it keeps that for the next one', async () => {
  control.start();
  await control.run();
  const after = control.messages.length;
  control.write('route.yaml', route('6s'));
  await control.saw('change', after);
  control.send({ type: 'shutdown' });
  await control.exited();
  expect(readFileSync(join(control.folder, 'state/last-good.json'), 'utf8')).toContain('timeout: 6s');
});

const SECRETS = ['client-0', 'istio-ingressgateway-0', 'web-v1-0', 'web-v1-1'].map((pod) => `${pod} secret default`);

test('certificates are replaced on demand, each once, and nothing else is sent', async () => {
  control.start();
  await control.run();
  const client = await control.connect();
  await control.settled(client);
  client.log.length = 0;
  const headers = { authorization: `Bearer ${control.token}` };
  expect((await fetch(`${await control.api()}/api/certificates/rotate`, { method: 'POST', headers })).status).toBe(202);
  await control.settled(client);
  expect(client.log.toSorted()).toEqual(SECRETS);
});

test('certificates are replaced in time, again and again, and nothing else is sent', async () => {
  control.start({ certificateLifetime: 3000 });
  await control.run();
  const client = await control.connect();
  await control.settled(client);
  client.log.length = 0;
  const least = (): number => Math.min(...SECRETS.map((line) => client.log.filter((each) => each === line).length));
  await expect.poll(least).toBeGreaterThan(1);
  expect([...new Set(client.log)].toSorted()).toEqual(SECRETS);
});

test('nothing readable is fatal', async () => {
  control.start({ files: ['nowhere'] });
  expect((await control.saw('fatal')).text).toContain('`nowhere`');
});

test('started again where nothing is left to run, or all of it is broken, it goes on', async () => {
  const one = new ControlProcess({ 'all.yaml': SYSTEM });
  one.start();
  await one.run();
  await expect.poll(() => existsSync(join(one.folder, 'state/last-good.json'))).toBe(true);
  for (const [text, workloads] of [
    [`kind: [\n${SYSTEM}`, ['client', 'web-v1']],
    ['# nothing any more\n', []],
  ] as const) {
    one.write('all.yaml', text);
    await one.kill();
    one.start({ again: true });
    const desired = await one.saw('desired');
    expect(desired.workloads.map(({ owner }) => owner.name).toSorted()).toEqual(workloads);
    await one.saw('listening');
  }
  await one.remove();
});

test('one that takes the place of another and cannot start ends, so that a third is started', async () => {
  control.start();
  const { api } = await control.saw('listening');
  const other = new ControlProcess({ 'system.yaml': SYSTEM });
  other.start({ apiPort: Number(api.split(':')[1]), again: true });
  expect(await other.exited()).toBe(1);
  expect((await other.saw('fatal')).text).toMatch(/^port \d+ is taken/);
  await other.remove();
});

test('a taken port is named with its holder and the flag that changes it', async () => {
  control.start();
  const { api } = await control.saw('listening');
  const other = new ControlProcess({ 'system.yaml': SYSTEM });
  other.start({ apiPort: Number(api.split(':')[1]) });
  const { text } = await other.saw('fatal');
  expect(text).toMatch(/^port \d+ is taken by pid \d+ .*--api-port$/);
  await other.remove();
});

test('mizzen.yaml is read, and read again when it changes', async () => {
  control.write('mizzen.yaml', 'workloads: { client: { run: node client.js }, clinet: { run: x } }');
  control.start();
  const first = await control.saw('desired');
  const runOf = (message: typeof first): unknown =>
    message.workloads.find(({ owner }) => owner.name === 'client')?.containers[0]?.run;
  expect(runOf(first)).toMatchObject({ kind: 'command', command: 'node client.js' });
  expect((await control.saw('change')).rendered[0]).toMatch(
    /^warning\[MZ0111\] mesh\/mizzen\.yaml:1:\d+ {2}there is no .* `clinet`/,
  );
  await control.saw('listening');
  const after = control.messages.length;
  control.write('mizzen.yaml', 'workloads: { client: { run: external } }');
  expect(runOf(await control.saw('desired', after))).toEqual({ kind: 'external' });
});

test('a change tells what came, changed and went, the mesh configuration included, and no old warning again', async () => {
  control.write('mizzen.yaml', 'workloads: { clinet: { run: x } }');
  control.write('../mesh-config.yaml', 'accessLogFile: /dev/stdout');
  control.start({ meshConfig: 'mesh-config.yaml' });
  expect((await control.saw('change')).rendered).toHaveLength(1);
  await control.saw('listening');
  const told = async (name: string, text: string) => {
    const after = control.messages.length;
    control.write(name, text);
    const { added, changed, removed, rendered } = await control.saw('change', after);
    return { added, changed, removed, rendered: rendered.map((each) => each.split('\n')[0]) };
  };
  const none = { added: [], changed: [], removed: [], rendered: [] };
  const extra = 'apiVersion: v1\nkind: Service\nmetadata: { name: late }\nspec: { ports: [{ port: 80 }] }\n';
  expect(await told('late.yaml', extra)).toEqual({ ...none, added: ['Service default/late'] });
  expect(await told('late.yaml', '# no more\n')).toEqual({ ...none, removed: ['Service default/late'] });
  expect(await told('../mesh-config.yaml', 'accessLogFile: ""')).toEqual({
    ...none,
    changed: ['MeshConfig mesh-config.yaml'],
  });
  expect(await told('../mesh-config.yaml', 'bogus: 3')).toEqual({
    ...none,
    rendered: [
      expect.stringMatching(/^error\[MZ1001\] mesh-config\.yaml:1:1 .*`bogus`/),
      'MeshConfig mesh-config.yaml: its last good version stays in force',
    ],
  });
  expect(await told('mizzen.yaml', 'workloads: { client: { run: x } }')).toEqual({
    ...none,
    rendered: ['no longer: warning[MZ0111] there is no Deployment, StatefulSet or Pod `clinet`'],
  });
});

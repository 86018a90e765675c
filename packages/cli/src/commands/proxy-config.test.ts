import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { issue, loadOrCreateRoot } from '@mizzen/control-plane';
import { repositoryRoot } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const program = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');
const store = join(repositoryRoot, 'examples/store');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mizzen-proxy-config-'));
  const node = {
    id: 'sidecar~10.0.0.9~probe-0.store~store.svc.cluster.local',
    metadata: { NAMESPACE: 'store', LABELS: { app: 'probe' } },
  };
  writeFileSync(join(folder, 'node.json'), JSON.stringify({ node }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Result {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

function mizzen(args: readonly string[], input = ''): Result {
  try {
    const out = execFileSync(process.execPath, [program, ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
      input,
    });
    return { status: 0, out, err: '' };
  } catch (error) {
    const { stdout, stderr, status } = error as { stdout: string; stderr: string; status: number };
    return { status, out: stdout, err: stderr };
  }
}
const pc = (...args: readonly string[]): Result => mizzen(['proxy-config', ...args]);
const json = (result: Result): unknown => JSON.parse(result.out);

const names = (resources: unknown, key = 'name'): readonly string[] =>
  (resources as Record<string, string>[]).map((each) => each[key] ?? '').toSorted();

test('flags stand behind a command, before its subcommand or before all of it', () => {
  const place = ['--config', store, '-n', 'store'];
  const asked = pc('cluster', 'orders', ...place, '-o', 'json');
  expect(asked).toMatchObject({ status: 0, err: '' });
  expect(pc(...place, '-o', 'json', 'cluster', 'orders')).toEqual(asked);
  expect(mizzen([...place, '-o=json', 'pc', 'cluster', 'orders'])).toEqual(asked);
  expect(mizzen(['-n', 'store', 'x', 'xds', '--help']).out).toContain('Usage: mizzen x xds');
  expect(mizzen(['--name', 'second', 'status']).err).toContain('no mesh runs in');
  expect(mizzen(['-n', 'store'])).toMatchObject({ status: 2, err: expect.stringContaining('no command `-n`') });
  expect(pc('-n', 'store')).toMatchObject({ status: 64, err: expect.stringContaining('-n') });
});

test('a proxy named by its node has what `x xds` says it would be sent', () => {
  const place = ['--config', store, '--node', 'node.json'];
  const sent = json(mizzen(['x', 'xds', ...place])) as Record<string, unknown>;
  for (const kind of ['cluster', 'listener', 'route']) {
    expect(names(json(pc(kind, ...place, '-o', 'json')))).toEqual(names(sent[`${kind}s`]));
  }
  const assignments = json(pc('eds', ...place, '-o', 'json'));
  const filled = (sent['endpoints'] as { endpoints?: unknown[] }[]).filter(({ endpoints }) => endpoints !== undefined);
  expect(names(assignments, 'clusterName')).toEqual(names(filled, 'clusterName'));
});

test('a dump made of files is as its schema says, and is read again from a pipe', () => {
  const all = pc('all', 'orders', '--config', store, '-o', 'json');
  const schema = readFileSync(join(repositoryRoot, 'docs/reference/schemas/config-dump.schema.json'), 'utf8');
  const validate = new Ajv2020({ strict: true }).compile(JSON.parse(schema) as object);
  expect(validate(json(all)), JSON.stringify(validate.errors)).toBe(true);
  for (const kind of ['cluster', 'route', 'secret', 'eds']) {
    const direct = pc(kind, 'orders.store', '--config', store);
    expect(direct.out.split('\n').length).toBeGreaterThan(2);
    expect(mizzen(['pc', kind, '-f', '-'], all.out)).toEqual(direct);
  }
});

test('endpoints are not looked for in a configuration dump without a word', () => {
  writeFileSync(join(folder, 'all.json'), pc('all', 'orders', '--config', store, '-o', 'json').out);
  const ask = (...args: readonly string[]) =>
    spawnSync(process.execPath, [program, 'pc', ...args], { cwd: folder, encoding: 'utf8' });
  const { status, stdout, stderr } = ask('endpoint', '-f', 'all.json');
  expect([status, stdout]).toEqual([0, 'ENDPOINT     STATUS     OUTLIER CHECK     CLUSTER\n']);
  expect(stderr).toBe(
    'this is a configuration dump; endpoints are in `/clusters?format=json`, and what was sent of them in `eds`\n',
  );
  expect(ask('eds', '-f', 'all.json').stderr).toBe('');
  expect(ask('endpoint', 'orders', '--config', store).stderr).toBe('');
  writeFileSync(join(folder, 'clusters.json'), '{"cluster_statuses": []}');
  expect(ask('endpoint', '-f', 'clusters.json').stderr).toBe('');
});

test('certificates that files hold are shown, their private keys are not', () => {
  const now = Date.now();
  const root = loadOrCreateRoot(join(folder, 'ca'), 'cluster.local', now);
  const identity = { trustDomain: 'cluster.local', namespace: 'istio-system', serviceAccount: 'front' };
  const { chain, privateKey } = issue(root, identity, now, 3_600_000);
  const data = (pem: string): string => Buffer.from(pem).toString('base64');
  writeFileSync(
    join(folder, 'front.yaml'),
    `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: front, namespace: istio-system }
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: 443, name: https, protocol: HTTPS }
      hosts: [shop.example.com]
      tls: { mode: SIMPLE, credentialName: front }
---
apiVersion: v1
kind: Secret
metadata: { name: front, namespace: istio-system }
type: kubernetes.io/tls
data: { tls.crt: ${data(chain)}, tls.key: ${data(privateKey)} }
`,
  );
  const place = ['istio-ingressgateway', '--config', 'front.yaml'];
  expect(pc('secret', ...place).out).toMatch(/^kubernetes:\/\/front +Cert Chain +ACTIVE +true +[0-9a-f]+ +/m);
  const all = pc('all', ...place, '-o', 'json').out;
  expect(all).toContain(data(chain));
  expect(all).not.toContain(data(privateKey));
  expect(all).toContain(`"privateKey": {\n                "inlineBytes": "${data('[redacted]')}"`);
});

test('who cannot be told apart, is not there, or is said twice', () => {
  expect(pc('cluster', 'catalog', '--config', store)).toEqual({
    status: 2,
    out: '',
    err: 'Error: `catalog` could be catalog-v1.store, catalog-v2.store\n',
  });
  expect(pc('cluster', 'nobody', '--config', store)).toMatchObject({
    status: 1,
    err: expect.stringMatching(/^Error: no workload `nobody`\n {2}help: there are catalog-v1, /),
  });
  const twice = pc('cluster', 'orders', '-f', 'dump.json');
  expect([twice.status, twice.err]).toEqual([
    1,
    expect.stringContaining('cluster requires pod name or --file parameter'),
  ]);
  expect(pc('endpoint')).toMatchObject({
    status: 1,
    err: expect.stringContaining('endpoints requires pod name or --file parameter'),
  });
});

test('a node that is none, and files that are not there, are refused before anything is worked out', () => {
  const write = (metadata: unknown): void =>
    writeFileSync(join(folder, 'odd.json'), JSON.stringify({ id: 'sidecar~10.0.0.9~a.store~store.svc', metadata }));
  for (const [metadata, reason] of [
    [[1], 'the metadata of the node is not an object'],
    [{ INSTANCE_IPS: ['10.0.0.9'] }, "`INSTANCE_IPS` in the node's metadata is not a text"],
    [{ LABELS: 'app' }, "`LABELS` in the node's metadata is not a map of texts"],
  ] as const) {
    write(metadata);
    for (const command of [
      ['x', 'xds'],
      ['pc', 'cluster'],
    ]) {
      const { status, out, err } = mizzen([...command, '--config', store, '--node', 'odd.json']);
      expect([status, out, err]).toEqual([2, '', expect.stringContaining(reason)]);
    }
  }
  for (const flag of ['--config', '--mesh-config']) {
    for (const command of [
      ['x', 'xds'],
      ['pc', 'cluster'],
    ]) {
      const { status, out, err } = mizzen([...command, '--config', store, '--node', 'node.json', flag, 'nowhere']);
      expect([status, out, err]).toEqual([2, '', expect.stringContaining('there is no file or directory `nowhere`')]);
    }
  }
});

test('what istioctl has and Mizzen has not is refused by name, and nothing is ignored', () => {
  expect(pc('log', 'orders')).toMatchObject({ status: 1, err: expect.stringContaining('proxy-config log: ') });
  for (const flag of ['--kubeconfig', '--context', '--proxy-admin-port', '--waypoint']) {
    const { status, err } = pc('listener', 'orders', flag, 'x');
    expect([status, err]).toEqual([64, expect.stringMatching(new RegExp(`^Error: ${flag}: `))]);
  }
  expect(pc('cluster', 'orders', '--address', 'x')).toMatchObject({
    status: 64,
    err: 'Error: unknown flag: --address\n  help: `mizzen help proxy-config cluster` lists what it takes\n',
  });
  expect(pc('cluster', 'orders', '--config', store, '-oxml')).toMatchObject({
    status: 1,
    err: 'Error: output format "xml" not supported\n',
  });
  const idle = (...args: readonly string[]): unknown => {
    const { status, err } = mizzen(args);
    return [status, err.split('\n')[0]];
  };
  expect(idle('pc', 'c', '-f', 'x', '-n', 'store')).toEqual([
    64,
    'Error: --namespace: with -f there is nothing to look up',
  ]);
  expect(idle('pc', 'c', 'orders', '--config', store, '--api', 'x')).toEqual([
    64,
    'Error: --api: with --config nothing that runs is asked',
  ]);
  expect(idle('pc', 'c', '--node', 'node.json', '--config', store, '-n', 'x')).toEqual([
    64,
    'Error: --namespace: a node says its own',
  ]);
  expect(idle('pc', 'c', '--node', 'node.json', '--api', 'x')).toEqual([
    64,
    'Error: --api: files are found by --config, or by --state-dir and --mesh-name',
  ]);
  expect(idle('pc', 'c', 'orders', '--mesh-config', 'x')).toEqual([
    64,
    'Error: --mesh-config: a running mesh has its own; it goes with --config',
  ]);
  expect(idle('ps', '--api', 'localhost:1', '--name', 'x')).toEqual([
    64,
    'Error: --name: with --api it is said where the server is',
  ]);
  expect(idle('pc', 'a', 'orders', '--config', store, '-o', 'json', '--fqdn', 'x')).toEqual([
    1,
    'Error: --fqdn: -o json and yaml print the whole dump',
  ]);
  expect(mizzen(['proxy-status', '--xds-address', 'x'])).toMatchObject({
    status: 64,
    err: expect.stringMatching(/^Error: --xds-address: /),
  });
});

test('an address that is none, or of something else, is said so', async () => {
  expect(pc('cluster', 'orders', '--api', 'http://[')).toEqual({
    status: 64,
    out: '',
    err: 'Error: --api: `http://[` is not HOST:PORT\n',
  });
  const child = spawn(process.execPath, [
    '-e',
    `require('node:http').createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1', function () {
      console.log(this.address().port);
    })`,
  ]);
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  const address = `127.0.0.1:${port.toString().trim()}`;
  const result = pc('cluster', 'orders', '--api', address);
  child.kill();
  expect(result).toEqual({
    status: 1,
    out: '',
    err: `Error: http://${address} is no control plane: /debug/syncz is not JSON there\n`,
  });
});

test('help lists the commands, their aliases and what each takes', () => {
  const group = mizzen(['help', 'proxy-config']);
  expect(group.status).toBe(0);
  expect(group.out).toMatch(/^ {2}endpoint, endpoints, ep +endpoints and their health$/m);
  expect(mizzen(['pc'])).toEqual(group);
  const one = mizzen(['help', 'pc', 'l']);
  expect(one.out).toMatch(/^Usage: mizzen proxy-config listener WORKLOAD/);
  expect(one.out).toMatch(/^ {2}-o, --output FORMAT +json, yaml or short \(default short\)$/m);
  expect(mizzen(['proxy-config', 'listener', '--help'])).toEqual(one);
  expect(mizzen(['help']).out).toMatch(/^ {2}proxy-status +/m);
});

import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { bootstrap, hcm, listener } from './testing/bootstraps.ts';
import { startProxy } from './testing/standalone.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'mizzen-runtime-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** A version of the folder tree that a disk layer is; the link to it is swapped as deployments do. */
function publish(version: string, values: Readonly<Record<string, string>>): void {
  for (const [path, value] of Object.entries(values)) {
    const file = join(folder, version, 'proxy', path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, value);
  }
  symlinkSync(version, join(folder, 'next'));
  renameSync(join(folder, 'next'), join(folder, 'current'));
}

function serve(version: string, layer: object): void {
  const resource = { '@type': 'type.googleapis.com/envoy.service.runtime.v3.Runtime', name: 'served', layer };
  writeFileSync(join(folder, 'rtds.tmp'), JSON.stringify({ versionInfo: version, resources: [resource] }));
  renameSync(join(folder, 'rtds.tmp'), join(folder, 'rtds.json'));
}

const KEYS = ['disk.a', 'own', 'b', 'served', 'deep.er', 'both', 'mine', 'percent'];

function configuration(port: number, admin: number): object {
  const routes = KEYS.flatMap((key) => [
    {
      match: { path: `/${key}`, runtimeFraction: { defaultValue: { numerator: 0 }, runtimeKey: key } },
      directResponse: { status: 200, body: { inlineString: 'on' } },
    },
    { match: { path: `/${key}` }, directResponse: { status: 200, body: { inlineString: 'off' } } },
  ]);
  return {
    ...bootstrap([listener(port, [{ filters: [hcm(routes)] }])], []),
    node: { id: 'test', cluster: 'test' },
    admin: { address: { socketAddress: { address: '127.0.0.1', portValue: admin } } },
    layeredRuntime: {
      layers: [
        { name: 'base', staticLayer: { both: 0, mine: 0, text: 'word', tiny: 0.00001, big: 1234567, half: 0.5 } },
        {
          name: 'files of one cluster',
          diskLayer: { symlinkRoot: join(folder, 'current'), subdirectory: 'proxy', appendServiceCluster: true },
        },
        { name: 'files that are not', diskLayer: { symlinkRoot: join(folder, 'current'), subdirectory: 'nothing' } },
        { name: 'files', diskLayer: { symlinkRoot: join(folder, 'current'), subdirectory: 'proxy' } },
        {
          name: 'server',
          rtdsLayer: {
            name: 'served',
            rtdsConfig: { resourceApiVersion: 'V3', pathConfigSource: { path: join(folder, 'rtds.json') } },
          },
        },
        { name: 'hand', adminLayer: {} },
      ],
    },
  };
}

async function ask(port: number, path: string, method = 'GET', body?: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
  });
  return response.text();
}

async function observe(
  start: (config: object) => Promise<{ readonly adminPort?: number; stop(): Promise<void> }>,
): Promise<unknown[]> {
  const [port, own] = [await freePort(), await freePort()];
  publish('v1', {
    'disk/a': '100',
    'test/own': '100',
    b: '# off for now\n0\n',
    both: '100',
    percent: 'numerator: 100\ndenominator: HUNDRED\n',
  });
  serve('1', { served: 100, deep: { er: 100 } });
  const proxy = await start(configuration(port, own));
  const admin = proxy.adminPort ?? own;
  const seen: unknown[] = [];
  const look = async (): Promise<void> => {
    const values = await Promise.all(KEYS.map(async (key) => `${key} ${await ask(port, `/${key}`)}`));
    const runtime = JSON.parse(await ask(admin, '/runtime')) as { entries: object };
    seen.push(values, runtime);
  };
  const becomes = (key: string, value: string): Promise<void> =>
    vi.waitFor(async () => expect(await ask(port, `/${key}`)).toBe(value), { timeout: 20_000, interval: 50 });
  try {
    await look();
    const begun = (await ask(admin, '/stats?filter=^runtime')).split('\n');
    // How often a server was heard is a matter of time.
    seen.push(begun.filter((line) => /override_dir_(?=.*: 0)|num_|load_error/.test(line)));
    publish('v2', { b: '100', both: '0' });
    await becomes('b', 'on');
    await look();
    serve('2', { both: 100 });
    await becomes('both', 'on');
    await look();
    seen.push(await ask(admin, '/runtime_modify?mine=100&both=0', 'POST'));
    await look();
    seen.push(await ask(admin, '/runtime_modify', 'POST', 'both=&b=false'));
    await look();
    seen.push(
      await ask(admin, '/runtime_modify', 'POST'),
      await ask(admin, '/runtime_modify?c=1', 'POST', 'd=1'),
      await ask(admin, '/runtime_modify?a=1'),
    );
    publish('v3', { b: '2001-12-14', both: '"100"', percent: '{', mine: '# nothing' });
    await vi.waitFor(async () => expect(await ask(admin, '/stats?filter=load_error')).toBe('runtime.load_error: 3\n'), {
      timeout: 20_000,
      interval: 50,
    });
    await look();
    publish('v4', { b: '2001-12-14', both: '"100"', percent: '100', mine: '# nothing' });
    await becomes('percent', 'on');
    await look();
    const stats = await ask(admin, '/stats?filter=^runtime');
    seen.push(stats.split('\n').filter((line) => /admin_overrides|num_|load_error|override_dir/.test(line)));
  } finally {
    await proxy.stop();
  }
  return seen;
}

test('values come from layers, change with links, files and requests, and are shown as by Envoy', async () => {
  const theirs = await observe(startEnvoy);
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  const ours = await observe(startProxy);
  expect(ours).toEqual(theirs);
  expect(theirs[0]).toContain('disk.a on');
}, 60_000);

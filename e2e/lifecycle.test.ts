import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '@mizzen/testkit';
import { ENGINES } from './lib/engines.ts';
import { mizzen, up, type Mesh } from './lib/mesh.ts';
import { alive, descendants } from './lib/processes.ts';
import { folder, gateway, service } from './lib/system.ts';

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Sends requests one after the other until `stop`; counts what did not answer 200. */
function traffic(mesh: Mesh): { sent(count: number): Promise<void>; stop(): Promise<{ failed: string[] }> } {
  let running = true;
  const failed: string[] = [];
  let sent = 0;
  const loop = async (): Promise<void> => {
    while (running) {
      sent++;
      try {
        const { status, body } = await mesh.get('/');
        if (status !== 200) failed.push(`${status} ${body}`);
      } catch (error) {
        failed.push(String(error));
      }
      // A loss shows at this rate as well, and the cores are needed for what is looked at.
      await pause(5);
    }
  };
  const done = Promise.all([loop(), loop()]);
  return {
    /** So many more. */
    async sent(count) {
      for (const wanted = sent + count; sent < wanted;) await pause(20);
    },
    async stop() {
      running = false;
      await done;
      return { failed };
    },
  };
}

/** In a mixed mesh the gateway and every other version are on Envoy. */
const onEnvoy = ['istio-ingressgateway', 'web-v2', 'db'];
/** The command lines of what carries traffic. */
const PROXY = /process\/main\.ts|envoy -c /;

describe.each(ENGINES)('processes of a mesh, %s', (engine) => {
  const cleanups: (() => Promise<unknown> | void)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });
  async function start(
    files: Record<string, string>,
    ...args: string[]
  ): Promise<{ mesh: Mesh; system: ReturnType<typeof folder> }> {
    const system = folder(files);
    cleanups.push(() => system.remove());
    const mesh = await up([system.path, ...args], { engine, onEnvoy });
    cleanups.push(() => mesh.stop());
    return { mesh, system };
  }

  it('leaves nothing behind when mizzen up is killed, and starts again from the same state', async () => {
    const system = folder({ 'all.yaml': `${service('web')}---\n${gateway('web')}` });
    cleanups.push(() => system.remove());
    const mesh = await up([system.path], { engine, onEnvoy });
    const pids = descendants(mesh.pid).map(({ pid }) => pid);
    const proxies = descendants(mesh.pid).filter(({ command }) => PROXY.test(command));
    // One process for all of our own; a gateway and a sidecar; our own and the gateway.
    expect(proxies.length).toBe(engine === 'embedded' ? 1 : 2);
    await mesh.kill('SIGKILL');
    await expect.poll(() => alive(pids)).toEqual([]);
    const again = await up([system.path], { stateDir: mesh.stateDir, engine, onEnvoy });
    cleanups.push(() => again.stop());
    expect((await again.get('/')).status).toBe(200);
  });

  it('loses no request while the control process is dead, and follows the next one', async () => {
    const { mesh, system } = await start({ 'all.yaml': `${service('web')}---\n${gateway('web')}` });
    const control = (): number | undefined =>
      descendants(mesh.pid).find(({ command }) => command.includes('control/main.ts'))?.pid;
    const first = control();
    expect(first).toBeDefined();
    const load = traffic(mesh);
    await load.sent(20);
    process.kill(first!, 'SIGKILL');
    await expect.poll(() => [undefined, first].includes(control())).toBe(false);
    await expect.poll(async () => (await mesh.api('/ready')).status).toBe(200);
    await load.sent(50);
    expect((await load.stop()).failed).toEqual([]);
    const back = async (): Promise<boolean> => {
      const { proxies } = JSON.parse((await mesh.api('/api/config/status')).body) as {
        proxies: { connected: boolean }[];
      };
      return proxies.length === 2 && proxies.every(({ connected }) => connected);
    };
    await expect.poll(back).toBe(true);
    const from = mesh.output().length;
    system.write(
      'all.yaml',
      `${service('web')}---\n${gateway('web')}      headers: { response: { set: { x-next: 'yes' } } }\n`,
    );
    await mesh.saw(/concerned ha(s|ve) it/, from);
    expect((await mesh.get('/')).headers['x-next']).toBe('yes');
  });

  it('starts another data-plane process when it dies', async () => {
    const { mesh } = await start({ 'all.yaml': `${service('web')}---\n${gateway('web')}` });
    for (const { pid } of descendants(mesh.pid).filter(({ command }) => PROXY.test(command)))
      process.kill(pid, 'SIGKILL');
    await expect.poll(async () => (await mesh.get('/')).status).toBe(200);
  });
});

it('names a taken port, who holds it and the flag that changes it', async () => {
  const holder = createServer();
  const port = await freePort();
  await new Promise<void>((done) => holder.listen(port, '127.0.0.1', done));
  const system = folder({ 'all.yaml': `${service('web')}---\n${gateway('web')}` });
  const state = folder({});
  try {
    for (const [flag, value] of [
      ['--api-port', String(port)],
      ['--gateway-port', `80=${port}`],
    ] as const) {
      const others =
        flag === '--api-port' ? ['--gateway-port', `80=${await freePort()}`] : ['--api-port', String(await freePort())];
      const { status, stdout, stderr } = await mizzen([
        'up',
        system.path,
        '--state-dir',
        state.path,
        flag,
        value,
        ...others,
      ]);
      expect(status).toBe(1);
      const line = `${stdout}${stderr}`.split('\n').find((text) => text.includes(String(port)));
      expect(line).toContain(String(process.pid));
      expect(line).toContain(flag);
    }
  } finally {
    system.remove();
    state.remove();
    await new Promise<void>((done) => void holder.close(() => done()));
  }
});

describe.each(ENGINES)('a mesh file edited while the mesh runs, %s', (engine) => {
  it('is in force everywhere, without a lost request; a bad one changes nothing', async () => {
    const routes = (subset: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec:
  hosts: ['*']
  gateways: [front]
  http:
    - route: [{ destination: { host: web, port: { number: 8080 }, subset: ${subset} } }]
`;
    const rule = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: web }
spec:
  host: web
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
`;
    const gatewayOnly = gateway('web').split('---')[0]!;
    const system = folder({
      'web.yaml': service('web', ['v1', 'v2']),
      'gateway.yaml': gatewayOnly,
      'rule.yaml': rule,
      'routes.yaml': routes('v1'),
    });
    const mesh = await up([system.path], { engine, onEnvoy });
    try {
      expect((await mesh.get('/')).body).toContain('"version": "v1"');
      const load = traffic(mesh);
      for (let i = 0; i < 6; i++) {
        const wanted = i % 2 === 0 ? 'v2' : 'v1';
        const from = mesh.output().length;
        system.write('routes.yaml', routes(wanted));
        await mesh.saw(/concerned ha(s|ve) it after [\d.]+ ms/, from);
        expect((await mesh.get('/')).body).toContain(`"version": "${wanted}"`);
      }
      const before = mesh.output().length;
      system.write('routes.yaml', routes('v2').replace('route:', 'rout:'));
      await mesh.saw(/routes\.yaml:8:\d+/, before);
      expect(mesh.output().slice(before)).toContain('rout');
      expect((await mesh.get('/')).body).toContain('"version": "v1"');
      expect((await mesh.mizzen('status')).stdout).toMatch(/routes\.yaml:8 is not in force: MZ\d+ .*rout/);
      const { stderr } = await mesh.mizzen('explain', `GET http://localhost:${mesh.gatewayPort}/`);
      expect(stderr).toMatch(/routes\.yaml:8:[^]*goes on with its last good version/);
      expect((await load.stop()).failed).toEqual([]);
    } finally {
      await mesh.stop();
      system.remove();
    }
  });
});

it.each(ENGINES)(
  'reaches each pod of a StatefulSet by its name, on ports that no container lists, %s',
  async (engine) => {
    const system = folder({
      'all.yaml': `${service('client')}---
apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: db }, ports: [{ name: http, port: 8080 }, { name: tcp, port: 5432 }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 2
  selector: { matchLabels: { app: db } }
  template: { metadata: { labels: { app: db } }, spec: { containers: [{ name: db, image: db }] } }
`,
    });
    const mesh = await up([system.path], { engine, onEnvoy });
    try {
      for (const host of [
        'db-0.db:8080',
        'db-1.db.default:8080',
        'db-1.db:5432',
        'db-0.db.default.svc.cluster.local:5432',
      ])
        for (let i = 0; i < 3; i++) {
          const { stdout } = await mesh.mizzen('curl', '--from', 'client-v1', `http://${host}/`);
          expect(JSON.parse(stdout)).toMatchObject({ pod: host.slice(0, 4) });
        }
    } finally {
      await mesh.stop();
      system.remove();
    }
  },
);

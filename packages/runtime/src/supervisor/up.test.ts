import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { freePort } from '@mizzen/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import type { DesiredContainer } from '../protocol.ts';
import { container, desired } from '../kubelet/testing/desired.ts';
import { type Mesh, type MeshOptions, startMesh, until } from './testing/harness.ts';

const meshes: Mesh[] = [];
afterEach(() => {
  for (const mesh of meshes.splice(0)) mesh.cleanUp();
});
async function mesh(options: MeshOptions): Promise<Mesh> {
  const started = await startMesh(options);
  meshes.push(started);
  return started;
}

/** A workload that runs JavaScript. */
function program(name: string, code: string, changes: Partial<DesiredContainer> = {}, more = {}) {
  const run = { kind: 'command', command: [process.execPath, '-e', code], dir: '.', watch: [] } as const;
  return desired({ name, containers: [container({ run, ...changes })], terminationGracePeriodSeconds: 2, ...more });
}
const SERVER = `require('http').createServer((q, s) => s.end('ok')).listen(process.env.PORT, '127.0.0.1')`;
/** Starts a child in its own group's shadow and ignores SIGTERM. */
const STUBBORN = `process.on('SIGTERM', () => {}); require('child_process').spawn('sleep', ['300']); ${SERVER}`;

// Looks processes up in /proc to see that none is left.
describe.skipIf(process.platform !== 'linux')('mizzen up', { timeout: 120_000 }, () => {
  test('starts everything, says so, and leaves nothing when told to stop', async () => {
    const m = await mesh({ workloads: [program('web', SERVER), desired({ name: 'ghost' })] });
    await m.waitFor(/^ready in /m);
    expect(m.output()).toMatch(/^web running 1\/1$/m);
    expect(m.output()).toMatch(/^ghost running \(stand-in\) 1\/1$/m);
    m.process.kill('SIGINT');
    expect(await m.exited).toBe(0);
    await m.gone();
  });

  test('a program that ignores SIGTERM is killed after its grace period', async () => {
    const m = await mesh({ workloads: [program('deaf', STUBBORN)] });
    await m.waitFor(/^ready in /m);
    m.process.kill('SIGTERM');
    expect(await m.exited).toBe(0);
    await m.gone();
  });

  test('Ctrl-C takes five seconds at most, whatever the grace period; a second one nothing', async () => {
    const deaf = program('deaf', STUBBORN, {}, { terminationGracePeriodSeconds: 60 });
    const m = await mesh({ workloads: [deaf] });
    await m.waitFor(/^ready in /m);
    m.process.kill('SIGINT');
    expect(await m.exited).toBe(0);
    await m.gone();

    const hasty = await mesh({ workloads: [deaf] });
    await hasty.waitFor(/^ready in /m);
    hasty.process.kill('SIGINT');
    await hasty.waitFor(/^stopping$/m);
    await new Promise((resolve) => setTimeout(resolve, 150));
    hasty.process.kill('SIGINT');
    expect(await hasty.exited).toBe(130);
    await hasty.gone();
  });

  test('kill -9 leaves nothing, and the next start works', async () => {
    const workloads = [program('web', STUBBORN), desired({ name: 'ghost' })];
    const m = await mesh({ workloads });
    await m.waitFor(/^ready in /m);
    expect(m.processes().length).toBeGreaterThan(5);
    m.process.kill('SIGKILL');
    await m.gone();
    const again = await mesh({ workloads, cwd: m.dir });
    await again.waitFor(/^ready in /m);
  });

  test('what a crashed run left behind without its guardian is ended by the next', async () => {
    const workloads = [program('web', STUBBORN)];
    const m = await mesh({ workloads });
    await m.waitFor(/^ready in /m);
    const guardian = m.processes().find((p) => p.command.includes('mizzen-guardian'));
    process.kill(m.process.pid!, 'SIGSTOP');
    process.kill(guardian!.pid, 'SIGKILL');
    m.process.kill('SIGKILL');
    await m.exited;
    expect(m.processes().some((p) => p.command.includes('createServer'))).toBe(true);
    const again = await mesh({ workloads, cwd: m.dir });
    await again.waitFor(/^ready in /m);
    await m.gone();
  });

  test('a second one is refused in one line while the first runs', async () => {
    const m = await mesh({ workloads: [] });
    await m.waitFor(/ready in/);
    const second = await mesh({ workloads: [], cwd: m.dir });
    expect(await second.exited).toBe(1);
    expect(second.output().trimEnd().split('\n')).toEqual([
      expect.stringMatching(new RegExp(`already runs here \\(pid ${m.process.pid}, .*mizzen stop.*--name`)),
    ]);
  });

  test('two meshes run side by side in one directory under names of their own', async () => {
    const a = await mesh({ workloads: [program('web', SERVER)] });
    await a.waitFor(/^ready in /m);
    const stateDir = join(a.dir, '.mizzen/meshes/b');
    const b = await mesh({ workloads: [program('web', SERVER)], cwd: a.dir, stateDir, name: 'b' });
    await b.waitFor(/^ready in /m);
    b.process.kill('SIGINT');
    expect(await b.exited).toBe(0);
    expect(a.processes().length).toBeGreaterThan(3);
  });

  test('a taken API port is one line with who has it and the flag', async () => {
    const port = await freePort();
    const server = createServer().listen(port, '127.0.0.1');
    const m = await mesh({ workloads: [], apiPort: port });
    expect(await m.exited).toBe(1);
    server.close();
    expect(m.output()).toMatch(new RegExp(`^mizzen up: port ${port} .*pid ${process.pid} \\(.*--api-port PORT.*\\n$`));
  });

  test('so is a taken gateway port', async () => {
    const port = await freePort();
    const server = createServer().listen(port, '127.0.0.1');
    const gateway = desired({ name: 'gate', containers: [], sidecar: false, gatewayPorts: { 80: port } });
    const m = await mesh({ workloads: [program('web', SERVER)], gateways: [gateway] });
    expect(await m.exited).toBe(1);
    server.close();
    const lines = m.output().trimEnd().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`port ${port} .*\`gate\`.*pid ${process.pid} .*--gateway-port 80=PORT`)),
    ]);
  });

  test('a gateway that runs takes other ports without a word from the data plane', async () => {
    const gateway = desired({ name: 'gate', containers: [], sidecar: false, gatewayPorts: { 80: await freePort() } });
    const m = await mesh({ workloads: [], gateways: [gateway] });
    await m.waitFor(/^ready in /m);
    const port = await freePort();
    m.apply([program('late', SERVER)], [{ ...gateway, gatewayPorts: { 80: port }, templateHash: 'b' }]);
    await m.waitFor(/late running 1\/1/);
    expect(m.output()).not.toContain('warning');
  });

  test('a program that ends is restarted at once, then waits in CrashLoopBackOff with its last words', async () => {
    const m = await mesh({ workloads: [program('crash', `console.log('cannot go on'); process.exit(3)`)] });
    await m.waitFor(/CrashLoopBackOff/);
    expect(m.output()).toMatch(/crash-0: exited with status 3; restarting$/m);
    expect(m.output()).toMatch(/crash-0: exited with status 3; restarting in 10 s$/m);
    expect(m.output()).toMatch(/crash-0 .*\| cannot go on/);
  });

  test('readiness decides; a failed liveness probe restarts', async () => {
    const code = `require('http').createServer((q, s) => { s.statusCode = q.url === '/live' && Date.now() - t > 1500 ? 500 : 200; s.end(); }).listen(process.env.PORT, '127.0.0.1'); const t = Date.now()`;
    const liveness = { httpGet: { path: '/live', port: 'http' }, periodSeconds: 1, failureThreshold: 1 };
    const readiness = { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 60 };
    const m = await mesh({ workloads: [program('web', code, { liveness, readiness })] });
    await m.waitFor(/^ready in /m);
    await m.waitFor(/liveness probe failed: GET \/live answered 500/);
    await m.waitFor(/was ended by SIGTERM; restarting/);
  });

  test('own processes that die are started again and know everything', async () => {
    const m = await mesh({ workloads: [desired({ name: 'ghost' }), program('web', SERVER)] });
    await m.waitFor(/^ready in /m);
    for (const name of ['fake-control', 'fake-data-plane', 'standin/main']) {
      const old = m.processes().find((p) => p.command.includes(name))!;
      process.kill(old.pid, 'SIGKILL');
      const renewed = (): boolean => m.processes().some((p) => p.command.includes(name) && p.pid !== old.pid);
      await until(renewed, 30_000, () => m.output());
    }
    await m.waitFor(/ghost running \(stand-in\) 1\/1[^]*ghost [^]*ghost running \(stand-in\) 1\/1/);
  });

  test('a state directory that is taken away ends nothing; a new control process has it again', async () => {
    const m = await mesh({ workloads: [program('web', SERVER)] });
    await m.waitFor(/^ready in /m);
    rmSync(join(m.dir, '.mizzen'), { recursive: true });
    process.kill(m.processes().find((p) => p.command.includes('fake-control'))!.pid, 'SIGKILL');
    const there = (name: string): boolean => existsSync(join(m.dir, '.mizzen', name));
    await until(
      () => there('token') && there('api.json'),
      30_000,
      () => m.output(),
    );
    m.process.kill('SIGTERM');
    expect(await m.exited).toBe(0);
  });

  test('watched paths restart a workload, the old pod serving until the new one is ready', async () => {
    const m = await mesh({ workloads: [] });
    await m.waitFor(/ready in/);
    const code = join(m.dir, 'code.js');
    writeFileSync(code, SERVER);
    const run = { kind: 'command', command: [process.execPath, 'code.js'], dir: m.dir, watch: ['code.js'] } as const;
    m.apply([desired({ containers: [container({ run })] })]);
    await m.waitFor(/web running 1\/1/);
    writeFileSync(code, `${SERVER};`);
    await m.waitFor(/`code.js` changed, restarting/);
    await m.waitFor(/web updating 1\/1[^]*web running 1\/1/);
    expect(m.output()).not.toMatch(/web .* 0\/1[^]*web running 1\/1[^]*web .* 0\/1/);
  });

  test('output goes to the log of the workload', async () => {
    const m = await mesh({ workloads: [program('web', `console.log('hello'); console.error('oops'); ${SERVER}`)] });
    await m.waitFor(/^ready in /m);
    const log = join(m.dir, '.mizzen/logs/default.web.log');
    const lines = (): string[] => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []);
    await until(
      () => lines().length === 2,
      30_000,
      () => m.output(),
    );
    // They come in two pipes, of which either may be read first.
    expect(
      lines()
        .map((line) => line.replace(/^\S+Z /, ''))
        .toSorted(),
    ).toEqual(['web-0 E oops', 'web-0 O hello']);
  });
});

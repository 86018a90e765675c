/** The store on PostgreSQL, RabbitMQ and Redis: as workloads of its mesh, and outside of it. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '@mizzen/testkit';
import { startPostgres, startRabbit, startRedis, type Backend } from '@mizzen/testkit/backends';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from './lib/engines.ts';
import { up, type Mesh } from './lib/mesh.ts';
import { processes } from './lib/processes.ts';

const backends = join(repositoryRoot, 'examples/store-backends');
const json = { 'content-type': 'application/json' };

interface Where {
  /** What to give to `mizzen up` beside the store. */
  readonly files: string;
  postgresPort(): number;
  /** Kills the broker; it comes back by itself or by what this returns. */
  killBroker(): Promise<() => Promise<void>>;
  /** What the broker wrote, where that is not the mesh's to know. */
  brokerLog(): string;
  end(): Promise<void>;
}

async function insideTheMesh(): Promise<Where> {
  const data = mkdtempSync(join(tmpdir(), 'mizzen-backends-'));
  // The servers run as accounts of their own.
  chmodSync(data, 0o755);
  process.env.STORE_DATA = data;
  return {
    files: join(backends, 'mesh'),
    postgresPort() {
      const words = processes().map(({ command }) => new RegExp(`-D ${data}/postgres -p (\\d+)`).exec(command));
      return Number(words.find((found) => found !== null)![1]);
    },
    async killBroker() {
      // The broker's own process, with the shell around it left to notice.
      const found = processes().filter(
        ({ command }) => /^\S*\/beam\.smp /.test(command) && command.includes(`${data}/rabbitmq`),
      );
      expect(found).toHaveLength(1);
      process.kill(found[0]!.pid, 'SIGKILL');
      return async () => {};
    },
    brokerLog: () => '',
    async end() {
      delete process.env.STORE_DATA;
      rmSync(data, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function outsideTheMesh(): Promise<Where> {
  const [postgres, rabbitmq, redis] = await Promise.all([startPostgres(['store']), startRabbit(), startRedis()]);
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-backends-'));
  const servers: Record<string, Backend> = { postgres, rabbitmq, redis };
  const entries = readFileSync(join(backends, 'outside/entries.yaml'), 'utf8').replaceAll(
    /(ports: \{ tcp-(\w+): )\d+/g,
    (_, start: string, name: string) => `${start}${servers[name]!.port}`,
  );
  writeFileSync(join(folder, 'entries.yaml'), entries);
  writeFileSync(join(folder, 'secrets.yaml'), readFileSync(join(backends, 'outside/secrets.yaml')));
  return {
    files: folder,
    postgresPort: () => postgres.port,
    async killBroker() {
      await rabbitmq.kill();
      return () => rabbitmq.start();
    },
    brokerLog: () => rabbitmq.output(),
    async end() {
      await Promise.all(Object.values(servers).map((server) => server.stop()));
      rmSync(folder, { recursive: true });
    },
  };
}

const CASES: readonly (readonly [string, Engine, () => Promise<Where>])[] = [
  ['workloads of the mesh', 'embedded', insideTheMesh],
  ['workloads of the mesh', 'envoy', insideTheMesh],
  ['outside of the mesh', 'embedded', outsideTheMesh],
  ['outside of the mesh', 'envoy', outsideTheMesh],
];

describe.each(CASES)('the store on backends that are %s, %s', (_where, engine, prepare) => {
  let where: Where;
  let mesh: Mesh;
  let staff: string;
  beforeAll(async () => {
    where = await prepare();
    mesh = await up(['examples/store', where.files], { engine, ready: false });
    await mesh.saw(/ready in [\d.]+ m?s/);
    staff = (await mesh.mizzen('token', '--claim', 'role=staff')).stdout.trim();
  });
  afterAll(async () => {
    try {
      expect((await mesh.stop()).status).toBe(0);
      expect(mesh.output()).not.toContain('did not stop cleanly');
    } finally {
      await where.end();
    }
  }, 120_000);

  async function rows(schema: string, text: string): Promise<number> {
    const client = new pg.Client({
      connectionString: `postgres://store:store@127.0.0.1:${where.postgresPort()}/store`,
      options: `-c search_path=${schema}`,
    });
    await client.connect();
    try {
      return Number((await client.query<{ n: string }>(`select count(*) as n from ${text}`)).rows[0]!.n);
    } finally {
      await client.end();
    }
  }
  async function until(what: string, ask: () => Promise<boolean>, ms = 90_000): Promise<void> {
    const deadline = performance.now() + ms;
    while (!(await ask())) {
      if (performance.now() > deadline) {
        const workloads = ['orders', 'inventory', ...(where.brokerLog() === '' ? ['rabbitmq'] : [])];
        const logs = workloads.map((name) => mesh.mizzen('logs', name, '-n', 'store', '--tail', '15'));
        const said = (await Promise.all(logs)).map(({ stdout, stderr }) => stdout + stderr).join('');
        const broker = where.brokerLog().slice(-6000);
        throw new Error(`not after ${ms} ms: ${what}\n${said}\n${broker}\n${mesh.output().slice(-3000)}`);
      }
      await new Promise((done) => setTimeout(done, 100));
    }
  }
  it('reaches all three through the sidecars', async () => {
    expect((await mesh.get('/products/123')).status).toBe(200);
    await until('stock', async () => {
      const headers = { ...json, authorization: `Bearer ${staff}` };
      const stocked = await mesh.get('/inventory/123/update', { method: 'POST', headers, body: '{"quantity":1000}' });
      return stocked.status === 200;
    });
    expect(await rows('catalog', 'products')).toBe(2);
  }, 120_000);

  it('loses nothing and takes no order twice when the broker is killed', async () => {
    const total = 60;
    let next = 0;
    const ids: string[] = [];
    async function client(): Promise<void> {
      for (let i = next++; i < total; i = next++) {
        const headers = { ...json, 'idempotency-key': `order-${i}` };
        const body = JSON.stringify({ user_id: 'u1', items: [{ product_id: '123', quantity: 1 }] });
        await until(`order ${i}`, async () => {
          const answer = await mesh.get('/orders', { method: 'POST', headers, body }).catch(() => undefined);
          if (answer?.status === 201) ids.push((JSON.parse(answer.body) as { order_id: string }).order_id);
          return answer?.status === 201;
        });
      }
    }
    const clients = Array.from({ length: 4 }, client);
    await until('a third', async () => ids.length >= total / 3);
    const revive = await where.killBroker();
    await until('more, without a broker', async () => ids.length >= total / 2);
    await revive();
    await Promise.all(clients);
    expect(new Set(ids).size).toBe(total);
    await until('every event is delivered', async () => (await rows('orders', 'outbox')) === 0);
    await until('all are sold', async () => (await rows('inventory', `order_states where state = 'sold'`)) === total);
    expect(await rows('inventory', 'reservations')).toBe(0);
    expect(await rows('orders', `orders where status = 'confirmed'`)).toBe(total);
    expect(await rows('orders', 'orders')).toBe(total);
    expect(await rows('payment', 'payments')).toBe(total);
    expect(JSON.parse((await mesh.get('/inventory/123')).body)).toEqual({ product_id: '123', quantity: 1000 - total });
  }, 400_000);
});

/** The services on a real PostgreSQL and a real Redis. */
import { startPostgres, startRedis, type Backend } from '@mizzen/testkit/backends';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runService, until, type Running } from './processes.ts';

let postgres: Backend;
let redis: Backend;
const running: Running[] = [];
const database = (name: string): string => `postgres://store:store@127.0.0.1:${postgres.port}/store?schema=${name}`;

async function run(...args: Parameters<typeof runService>): Promise<Running> {
  const service = await runService(...args);
  running.push(service);
  return service;
}

beforeAll(async () => {
  postgres = await startPostgres(['store']);
  redis = await startRedis();
}, 60_000);
afterAll(async () => {
  await Promise.all(running.map((service) => service.end('SIGKILL')));
  await postgres?.stop();
  await redis?.stop();
});

test('replicas that start together bring the schema up to date once', async () => {
  const env = { DATABASE_URL: database('catalog'), VERSION: 'v2' };
  const replicas = await Promise.all([run('catalog', env), run('catalog', env), run('catalog', env)]);
  for (const replica of replicas) {
    const { status, json } = await replica.get('/products');
    expect(status).toBe(200);
    expect(json).toMatchObject({ products: [{ product_id: '123', price: 29.99 }, { product_id: '456' }] });
    expect(await replica.end()).toBe(0);
  }
});

describe('orders, inventory and payment on PostgreSQL', () => {
  let catalog: Running;
  let inventory: Running;
  let payment: Running;
  let orders: Running;
  const order = (more: object = {}): object => ({
    user_id: 'u1',
    items: [{ product_id: '456', quantity: 1 }],
    ...more,
  });
  const stock = async (id: string): Promise<unknown> => (await inventory.get(`/inventory/${id}`)).json.quantity;

  beforeAll(async () => {
    catalog = await run('catalog', { DATABASE_URL: database('catalog'), REDIS_URL: `redis://127.0.0.1:${redis.port}` });
    inventory = await run('inventory', { DATABASE_URL: database('inventory') });
    payment = await run('payment', { DATABASE_URL: database('payment') });
    orders = await run('orders', {
      DATABASE_URL: database('orders'),
      CATALOG_URL: catalog.url,
      INVENTORY_URL: inventory.url,
      PAYMENT_URL: payment.url,
    });
  }, 60_000);

  test('takes an order and answers a repeated key with it', async () => {
    const headers = { 'idempotency-key': 'k1' };
    const before = await stock('456');
    const first = await orders.post('/orders', order(), headers);
    expect(first).toMatchObject({ status: 201, json: { status: 'confirmed', amount: 29.99, user_id: 'u1' } });
    expect((await orders.post('/orders', order(), headers)).json).toEqual(first.json);
    expect((await orders.post('/orders', order({ user_id: 'other' }), headers)).status).toBe(422);
    expect(await stock('456')).toBe(Number(before) - 1);
  });

  test('gives back what a declined order held, and refuses it to a reservation that comes late', async () => {
    const before = await stock('456');
    const failed = await orders.post('/orders', order({ credit_card_number: 'tok_declined' }));
    expect(failed.status).toBe(402);
    expect(await stock('456')).toBe(before);
    const late = await inventory.post('/reservations', {
      order_id: failed.json.order_id,
      items: [{ product_id: '456', quantity: 1 }],
    });
    expect(late.status).toBe(409);
    expect(await stock('456')).toBe(before);
  });

  test('sells the last ones once, whoever asks first and in whichever order of products', async () => {
    await inventory.post('/inventory/123/update', { quantity: 5 });
    await inventory.post('/inventory/456/update', { quantity: 5 });
    const both = ['123', '456'].map((product_id) => ({ product_id, quantity: 1 }));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const items = i % 2 === 0 ? both : both.toReversed();
        return inventory.post('/reservations', { order_id: `race-${i}`, items });
      }),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(5);
    expect(statuses.filter((status) => status === 409)).toHaveLength(15);
    expect([await stock('123'), await stock('456')]).toEqual([0, 0]);
  });

  test('takes a reservation and an event once, also when they come several times at once', async () => {
    await inventory.post('/inventory/123/update', { quantity: 10 });
    const reservation = { order_id: 'twice', items: [{ product_id: '123', quantity: 4 }] };
    const reserved = await Promise.all(Array.from({ length: 4 }, () => inventory.post('/reservations', reservation)));
    expect(reserved.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(await stock('123')).toBe(6);
    const event = { id: 'e1', type: 'order.failed', data: { order_id: 'twice' } };
    const handled = await Promise.all(Array.from({ length: 4 }, () => inventory.post('/events', event)));
    expect(handled.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
    expect(await stock('123')).toBe(10);
  });

  test('shares the cache between replicas and works without it', async () => {
    const url = `redis://127.0.0.1:${redis.port}`;
    const other = await run('catalog', { DATABASE_URL: database('catalog'), REDIS_URL: url });
    await catalog.get('/products/123');
    expect(await other.get('/health')).toMatchObject({
      status: 200,
      json: {
        status: 'ok',
        version: '0.2.0',
        dependencies: { database: { status: 'up', required: true }, cache: { status: 'up', required: false } },
      },
    });
    await redis.kill();
    expect((await other.get('/products/456')).status).toBe(200);
    const health = await other.get('/health');
    expect(health).toMatchObject({
      status: 200,
      json: { status: 'degraded', dependencies: { cache: { status: 'down' } } },
    });
    expect((await other.get('/health/ready')).status).toBe(200);
    await redis.start();
    await until('the cache is back', async () => (await other.get('/health')).json.status === 'ok');
    await other.end();
  });

  test('waits for PostgreSQL, is not ready meanwhile, and comes back by itself', async () => {
    await postgres.kill();
    const late = await run('payment', { DATABASE_URL: database('payment') }, { ready: false });
    expect(await payment.get('/health/ready')).toMatchObject({
      status: 503,
      json: { detail: expect.stringContaining('database: ') },
    });
    expect(await payment.get('/health')).toMatchObject({
      status: 503,
      json: { status: 'unavailable', dependencies: { database: { status: 'down' } } },
    });
    expect((await late.get('/health/ready')).status).toBe(503);
    expect((await payment.get('/health/live')).status).toBe(200);
    await postgres.start();
    for (const service of [payment, late])
      await until('ready again', async () => (await service.get('/health/ready')).status === 200);
    await inventory.post('/inventory/456/update', { quantity: 5 });
    expect((await orders.post('/orders', order())).status).toBe(201);
  });
});

test('says which package a setting needs, and which kinds of URL it takes', async () => {
  await expect(runService('payment', { DATABASE_URL: 'mysql://127.0.0.1/x' })).rejects.toThrow(
    'DATABASE_URL mysql: is not supported; use sqlite:PATH or postgres://…',
  );
  await expect(runService('catalog', { DATABASE_URL: 'sqlite::memory:', REDIS_URL: 'memcached://x' })).rejects.toThrow(
    'REDIS_URL memcached: is not supported',
  );
});

/** Events between the services through a real RabbitMQ, with everything else on a real PostgreSQL. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { startPostgres, startRabbit, type Backend } from '@mizzen/testkit/backends';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runService, until, type Running } from './processes.ts';

const EVENTS = 'store.events';
const QUEUE = 'inventory.events';
let postgres: Backend;
let rabbit: Backend;
let inventory: Running;
let orders: Running;
const running = new Set<Running>();
const database = (name: string): string => `postgres://store:store@127.0.0.1:${postgres.port}/store?schema=${name}`;
const broker = (): string => `amqp://store:store@127.0.0.1:${rabbit.port}`;

async function run(...args: Parameters<typeof runService>): Promise<Running> {
  const service = await runService(...args);
  running.add(service);
  return service;
}

async function query(name: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({
    connectionString: `postgres://store:store@127.0.0.1:${postgres.port}/store`,
    options: `-c search_path=${name}`,
  });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
const count = async (name: string, from: string): Promise<number> =>
  Number((await query(name, `select count(*) as n from ${from}`))[0]!.n);

const order = (more: object = {}): object => ({ user_id: 'u1', items: [{ product_id: '123', quantity: 1 }], ...more });

/** Places an order as a client does that will have it: with one key, again until there is an answer. */
async function placeForSure(key: string): Promise<string> {
  let id = '';
  await until(`order ${key}`, async () => {
    const answer = await orders.post('/orders', order(), { 'idempotency-key': key }).catch(() => undefined);
    if (answer?.status === 201) id = String(answer.json.order_id);
    return answer?.status === 201;
  });
  return id;
}

const runInventory = (more: object = {}): Promise<Running> =>
  run('inventory', { DATABASE_URL: database('inventory'), AMQP_URL: broker(), ...more });
let ordersEnv: Record<string, string>;

beforeAll(async () => {
  [postgres, rabbit] = await Promise.all([startPostgres(['store']), startRabbit()]);
  const catalog = await run('catalog', { DATABASE_URL: database('catalog') });
  const payment = await run('payment', { DATABASE_URL: database('payment') });
  inventory = await runInventory();
  ordersEnv = {
    DATABASE_URL: database('orders'),
    AMQP_URL: broker(),
    CATALOG_URL: catalog.url,
    INVENTORY_URL: inventory.url,
    PAYMENT_URL: payment.url,
    SETTLE_AFTER_MS: '6000',
  };
  orders = await run('orders', ordersEnv);
  await until('connected', async () => (await inventory.get('/health')).json.status === 'ok');
}, 180_000);
afterAll(async () => {
  await Promise.all([...running].map((service) => service.end('SIGKILL')));
  await postgres?.stop();
  await rabbit?.stop();
});

/** Nothing waits anywhere any more. */
async function settled(): Promise<void> {
  await until(
    'everything is delivered',
    async () => (await count('orders', 'outbox')) === 0 && (await count('inventory', 'reservations')) === 0,
  );
}

test('what an order tells of reaches the inventory through the broker', async () => {
  const { status, json } = await orders.post('/orders', order());
  expect(status).toBe(201);
  await settled();
  expect(
    await query('inventory', `select state from order_states where order_id = '${String(json.order_id)}'`),
  ).toEqual([{ state: 'sold' }]);
  await expect.poll(() => inventory.output()).toContain('"type":"order.confirmed","first":true');
  expect((await orders.get('/health')).json).toMatchObject({
    status: 'ok',
    dependencies: { broker: { status: 'up', required: false } },
  });
});

describe('messages nobody can do anything with', () => {
  async function publish(content: string, id: string): Promise<void> {
    const connection = await connect(broker());
    const channel = await connection.createConfirmChannel();
    channel.publish(EVENTS, 'order.test', Buffer.from(content), { messageId: id, persistent: true });
    await channel.waitForConfirms();
    await connection.close();
  }
  async function dead(): Promise<{ id: string; reason: string }[]> {
    return lines(await deadLetters());
  }
  const deadLetters = async (...args: string[]): Promise<string> =>
    (
      await promisify(execFile)(
        process.execPath,
        [join(import.meta.dirname, '../shared/broker/dead-letters.ts'), QUEUE, ...args],
        { env: { PATH: process.env.PATH, AMQP_URL: broker() } },
      )
    ).stdout;
  const lines = (text: string): { id: string; reason: string }[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { id: string; reason: string });

  test('are dead letters: at once when they cannot be read, after six tries when they fail', async () => {
    await publish('{"no": "event"}', 'unreadable');
    await until('one dead letter', async () => (await dead()).length === 1);
    expect(await dead()).toMatchObject([{ id: 'unreadable', reason: 'rejected' }]);
    // PostgreSQL takes no such character, whoever asks.
    const fails = { id: 'bad\u0000id', type: 'order.confirmed', data: { order_id: 'x' } };
    await publish(JSON.stringify(fails), 'fails');
    await until('two dead letters', async () => (await dead()).length === 2);
    expect((await dead())[1]).toMatchObject({ id: 'fails', reason: 'delivery_limit' });
    const tries = (): readonly string[] | null => inventory.output().match(/"delivery":\d,"of":6/g);
    await expect.poll(tries).toEqual([1, 2, 3, 4, 5, 6].map((n) => `"delivery":${n},"of":6`));
  }, 180_000);

  test('hold up nothing behind them, and can be put back', async () => {
    await orders.post('/orders', order());
    await settled();
    expect(lines(await deadLetters('--redrive')).map(({ id }) => id)).toEqual(['unreadable', 'fails']);
    await until('dead again', async () => (await dead()).length === 2);
  }, 180_000);
});

test('an event that no queue is bound for stays with its sender', async () => {
  await inventory.end();
  const connection = await connect(broker());
  const channel = await connection.createChannel();
  await channel.deleteQueue(QUEUE);
  await connection.close();
  expect((await orders.post('/orders', order())).status).toBe(502);
  inventory = await runInventory({ PORT: new URL(inventory.url).port });
  const { json } = await orders.post('/orders', order());
  await settled();
  expect(
    await query('inventory', `select state from order_states where order_id = '${String(json.order_id)}'`),
  ).toEqual([{ state: 'sold' }]);
});

describe('nothing is lost and no order is there twice', () => {
  /** Has `total` orders placed, eight at a time, with `during` in the middle, and adds up what there is at the end. */
  async function through(name: string, total: number, during: () => Promise<void>): Promise<void> {
    await settled();
    await inventory.post('/inventory/123/update', { quantity: 1000 });
    const before = {
      payments: await count('payment', 'payments'),
      confirmed: await count('orders', `orders where status = 'confirmed'`),
      sold: await count('inventory', `order_states where state = 'sold'`),
    };
    let next = 0;
    const ids: string[] = [];
    const client = async (): Promise<void> => {
      for (let i = next++; i < total; i = next++) ids.push(await placeForSure(`${name}-${i}`));
    };
    const clients = Array.from({ length: 8 }, client);
    await until('a third is placed', () => ids.length >= total / 3);
    await during();
    await Promise.all(clients);
    await settled();
    expect(new Set(ids).size).toBe(total);
    await until('all are sold', async () => {
      const sold = await count('inventory', `order_states where state = 'sold'`);
      return sold === before.sold + total;
    });
    expect(await count('orders', `orders where status = 'confirmed'`)).toBe(before.confirmed + total);
    expect(await count('payment', 'payments')).toBe(before.payments + total);
    expect((await inventory.get('/inventory/123')).json.quantity).toBe(1000 - total);
    expect(await count('orders', `orders where status = 'pending'`)).toBe(0);
  }

  test('when the broker is killed and comes back', async () => {
    await through('broker', 90, async () => {
      await rabbit.kill();
      await until('degraded', async () => (await inventory.get('/health')).json.status === 'degraded');
      // Orders are taken all the same: their events wait.
      expect((await orders.get('/health/ready')).status).toBe(200);
      await new Promise((done) => setTimeout(done, 1000));
      await rabbit.start();
    });
  }, 300_000);

  test('when the consumer is killed and comes back', async () => {
    await through('consumer', 60, async () => {
      await inventory.end('SIGKILL');
      inventory = await runInventory({ PORT: new URL(inventory.url).port });
    });
  }, 300_000);

  test('when the service that takes orders is killed and comes back', async () => {
    await through('orders', 60, async () => {
      await orders.end('SIGKILL');
      orders = await run('orders', { ...ordersEnv, PORT: new URL(orders.url).port });
    });
  }, 300_000);

  test('when consumer and publisher are asked to stop, which they do cleanly', async () => {
    await through('stop', 60, async () => {
      const [one, two] = await Promise.all([inventory.end(), orders.end()]);
      expect([one, two]).toEqual([0, 0]);
      expect(inventory.output()).toMatch(/"msg":"stopped"\}\n$/);
      inventory = await runInventory({ PORT: new URL(inventory.url).port });
      orders = await run('orders', { ...ordersEnv, PORT: new URL(orders.url).port });
    });
  }, 300_000);

  test('when the database is killed under the consumer: messages wait, and none is dead for it', async () => {
    await through('database', 60, async () => {
      await postgres.kill();
      await new Promise((done) => setTimeout(done, 1000));
      await postgres.start();
      await until('ready', async () => (await inventory.get('/health/ready')).status === 200);
    });
    expect(inventory.output()).not.toContain('dead letter');
  }, 300_000);
});

test('an AMQP_URL of another kind is refused at the start', async () => {
  await expect(runService('inventory', { DATABASE_URL: 'sqlite::memory:', AMQP_URL: 'kafka://x' })).rejects.toThrow(
    'AMQP_URL kafka: is not supported',
  );
});

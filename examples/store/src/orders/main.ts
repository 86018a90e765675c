/** Orders: prices, stock and payment come from the other services. */
import { randomUUID } from 'node:crypto';
import { openPublisher } from '../shared/broker/publisher.ts';
import { client } from '../shared/client.ts';
import { openDatabase } from '../shared/database.ts';
import { body, createService } from '../shared/service.ts';
import { optionalSetting, setting } from '../shared/settings.ts';
import { claim, unclaim } from './keys.ts';
import { Orders } from './orders.ts';
import { relayOutbox, toSubscribers } from './outbox.ts';
import { place } from './place.ts';
import { migrations, type Tables } from './schema.ts';
import { settlePending } from './settle.ts';
import { operations, Status, Wanted } from './operations.ts';

const { app, log, start } = createService('orders', operations, () => ({
  database: { required: true, check: () => database.ping() },
  // Without it events wait in the outbox.
  ...(publisher === undefined ? {} : { broker: { required: false, check: () => publisher.ping() } }),
}));
const database = openDatabase<Tables>(setting('DATABASE_URL', 'sqlite:.data/orders.db'), migrations);
const orders = new Orders(database);
const brokerUrl = optionalSetting('AMQP_URL');
const settleAfterMs = Number(setting('SETTLE_AFTER_MS', '30000'));
const publisher = brokerUrl === undefined ? undefined : openPublisher(brokerUrl, 'orders');

app.post('/orders', async (c) => {
  const wanted = await body(c.req, Wanted);
  const key = c.req.header('idempotency-key');
  const orderId = randomUUID();
  if (key !== undefined) {
    const earlier = await claim(database, orders, { key, request: JSON.stringify(wanted), orderId });
    if (earlier !== undefined) return c.json(earlier, 201);
  }
  const services = {
    catalog: client(setting('CATALOG_URL'), c.req),
    inventory: client(setting('INVENTORY_URL'), c.req),
    payment: client(setting('PAYMENT_URL'), c.req),
    payWithinMs: settleAfterMs / 2,
  };
  try {
    await place(orderId, wanted, orders, services);
  } catch (error) {
    if (key !== undefined && (await orders.find(orderId)) === undefined) await unclaim(database, key, orderId);
    throw error;
  }
  return c.json(await orders.get(orderId), 201);
});

app.get('/orders/:id', async (c) => c.json(await orders.get(c.req.param('id'))));

// Who may call this is the mesh's decision (mesh/authorization.yaml): a token with the role staff.
app.post('/orders/:id/status', async (c) => {
  const { status } = await body(c.req, Status);
  await orders.setStatus(c.req.param('id'), status);
  return c.json(await orders.get(c.req.param('id')));
});

const stopRelay = relayOutbox(
  database,
  publisher === undefined
    ? toSubscribers([new URL('/events', setting('INVENTORY_URL')).href])
    : (event) => publisher.publish(event),
  log,
);
const stopSettling = settlePending(orders, client(setting('PAYMENT_URL'), { header: () => undefined }), log, {
  afterMs: settleAfterMs,
  everyMs: 5000,
});
start({
  drain: async () => {
    await Promise.all([stopRelay(), stopSettling()]);
    await publisher?.close();
  },
  close: () => database.close(),
});

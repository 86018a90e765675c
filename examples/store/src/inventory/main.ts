/** Stock, and reservations that orders hold on it until they are paid for. */
import * as v from 'valibot';
import { consume } from '../shared/broker/consumer.ts';
import { openDatabase } from '../shared/database.ts';
import { notFound } from '../shared/problem.ts';
import { body, createService } from '../shared/service.ts';
import { optionalSetting, setting } from '../shared/settings.ts';
import { migrations, type Tables } from './schema.ts';
import { handle, release, reserve } from './reservations.ts';
import { Event, operations, Reservation, Update } from './operations.ts';

const { app, log, start } = createService('inventory', operations, () => ({
  database: { required: true, check: () => database.ping() },
  // Without it events wait at the broker, or in the outbox of orders.
  ...(consumer === undefined ? {} : { broker: { required: false, check: () => consumer.ping() } }),
}));
const database = openDatabase<Tables>(setting('DATABASE_URL', 'sqlite:.data/inventory.db'), migrations);

async function stock(id: string): Promise<{ product_id: string; quantity: number }> {
  const db = await database.queries();
  const row = await db.selectFrom('stock').selectAll().where('product_id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('product', id);
  return row;
}

app.get('/inventory/:id', async (c) => c.json(await stock(c.req.param('id'))));

// Who may call this is the mesh's decision (mesh/authorization.yaml): a token with the role staff.
app.post('/inventory/:id/update', async (c) => {
  const id = c.req.param('id');
  const update = await body(c.req, Update);
  const { product_id } = await stock(id);
  const db = await database.queries();
  await db
    .updateTable('stock')
    .set((e) => ({ quantity: 'quantity' in update ? update.quantity : e('quantity', '+', update.change) }))
    .where('product_id', '=', product_id)
    .execute();
  return c.json(await stock(id));
});

app.post('/reservations', async (c) => {
  const { order_id, items } = await body(c.req, Reservation);
  await reserve(await database.queries(), order_id, items);
  return c.json({ order_id, items }, 201);
});
app.delete('/reservations/:order', async (c) => {
  await release(await database.queries(), c.req.param('order'));
  return c.body(null, 204);
});

// Events arrive at least once; doing one twice changes nothing.
async function take(event: v.InferOutput<typeof Event>): Promise<void> {
  const first = await handle(await database.queries(), event);
  log.info({ event: event.id, type: event.type, first }, 'event');
}
app.post('/events', async (c) => {
  await take(await body(c.req, Event));
  return c.body(null, 204);
});
const brokerUrl = optionalSetting('AMQP_URL');
const consumer =
  brokerUrl === undefined
    ? undefined
    : consume(
        {
          url: brokerUrl,
          queue: 'inventory.events',
          types: ['order.*'],
          parse: (json) => v.parse(Event, json),
          handle: take,
          able: () => database.ping(),
        },
        log,
      );

start({ drain: async () => consumer?.drain(), close: () => database.close() });

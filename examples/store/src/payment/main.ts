/** Payments by token. Card numbers are refused, so that there is none to lose. */
import { randomUUID } from 'node:crypto';
import { openDatabase } from '../shared/database.ts';
import { fromJson, toJson } from '../shared/money.ts';
import { notFound, Problem } from '../shared/problem.ts';
import { body, createService } from '../shared/service.ts';
import { setting } from '../shared/settings.ts';
import { migrations, type Tables } from './schema.ts';
import { operations, Wanted } from './operations.ts';

const { app, start } = createService('payment', operations, () => ({
  database: { required: true, check: () => database.ping() },
}));
const database = openDatabase<Tables>(setting('DATABASE_URL', 'sqlite:.data/payment.db'), migrations);

interface Row {
  readonly payment_id: string;
  readonly order_id: string;
  readonly amount_cents: number;
  readonly status: string;
}

function present({ amount_cents, ...row }: Row): object {
  return { ...row, amount: toJson(amount_cents) };
}

/** Paying for the same order again answers with the payment that was made. */
app.post('/payment', async (c) => {
  const { order_id, amount, credit_card_number } = await body(c.req, Wanted);
  const db = await database.queries();
  const earlier = await db.selectFrom('payments').selectAll().where('order_id', '=', order_id).executeTakeFirst();
  if (earlier !== undefined) {
    if (earlier.amount_cents !== fromJson(amount))
      throw new Problem(409, 'Conflict', `order ${order_id} was paid with another amount`);
    return c.json(present(earlier), 201);
  }
  if (credit_card_number.startsWith('tok_declined'))
    throw new Problem(402, 'Payment Required', 'the card was declined');
  const row: Row = { payment_id: randomUUID(), order_id, amount_cents: fromJson(amount), status: 'completed' };
  await db
    .insertInto('payments')
    .values(row)
    .onConflict((conflict) => conflict.column('order_id').doNothing())
    .execute();
  const made = await db.selectFrom('payments').selectAll().where('order_id', '=', order_id).executeTakeFirstOrThrow();
  return c.json(present(made), 201);
});

/** For orders that got no answer when they paid. */
app.get('/payment/orders/:order', async (c) => {
  const id = c.req.param('order');
  const db = await database.queries();
  const row = await db.selectFrom('payments').selectAll().where('order_id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('payment for order', id);
  return c.json(present(row));
});

app.get('/payment/:id', async (c) => {
  const id = c.req.param('id');
  const db = await database.queries();
  const row = await db.selectFrom('payments').selectAll().where('payment_id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('payment', id);
  return c.json(present(row));
});

start({ close: () => database.close() });

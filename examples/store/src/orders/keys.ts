import type { Database } from '../shared/database.ts';
import { Problem } from '../shared/problem.ts';
import type { Orders } from './orders.ts';
import type { Tables } from './schema.ts';

/** A request takes less than this; one that takes longer has lost its process. */
const UNDER_WAY_MS = 15_000;

/**
 * Makes `key` stand for the order `orderId`. Returns the order it stood for already, when there is one that did not
 * fail; throws a Problem when the key came with another request, or while the first one is under way.
 */
export async function claim(
  database: Database<Tables>,
  orders: Orders,
  { key, request, orderId }: { readonly key: string; readonly request: string; readonly orderId: string },
): Promise<object | undefined> {
  const db = await database.queries();
  const claimed_at = new Date().toISOString();
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('idempotency_keys')
    .values({ key, request, order_id: orderId, claimed_at })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 1n) return undefined;
  const earlier = await db.selectFrom('idempotency_keys').selectAll().where('key', '=', key).executeTakeFirst();
  if (earlier === undefined) return claim(database, orders, { key, request, orderId });
  if (earlier.request !== request)
    throw new Problem(422, 'Unprocessable Content', 'this Idempotency-Key came with another order');
  const order = await orders.find(earlier.order_id);
  if (order !== undefined && order.status !== 'pending' && order.status !== 'failed') return order;
  const age = Date.now() - Date.parse(earlier.claimed_at);
  if (order?.status === 'pending' || (order === undefined && age < UNDER_WAY_MS))
    throw new Problem(409, 'Conflict', 'the first request with this Idempotency-Key is still under way');
  // Nothing came of the first one: it failed, or ended before there was an order. One of those who ask now goes on.
  const { numUpdatedRows } = await db
    .updateTable('idempotency_keys')
    .set({ order_id: orderId, claimed_at })
    .where('key', '=', key)
    .where('order_id', '=', earlier.order_id)
    .executeTakeFirst();
  if (numUpdatedRows === 1n) return undefined;
  throw new Problem(409, 'Conflict', 'another request with this Idempotency-Key is under way');
}

/** Lets a key be used again at once, because the request ended before there was an order. */
export async function unclaim(database: Database<Tables>, key: string, orderId: string): Promise<void> {
  const db = await database.queries();
  await db.deleteFrom('idempotency_keys').where('key', '=', key).where('order_id', '=', orderId).execute();
}

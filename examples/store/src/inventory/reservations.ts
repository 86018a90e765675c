import type { Kysely, Transaction } from 'kysely';
import { Problem } from '../shared/problem.ts';
import type { Tables } from './schema.ts';

export interface Item {
  readonly product_id: string;
  readonly quantity: number;
}

/**
 * Takes the items from the stock for an order: all of them or none. Doing it again for the same order changes nothing,
 * also when the order is settled since.
 */
export async function reserve(db: Kysely<Tables>, orderId: string, items: readonly Item[]): Promise<void> {
  // Everybody takes products in one order, so that no two orders wait for each other.
  const inOrder = items.toSorted((a, b) => (a.product_id < b.product_id ? -1 : 1));
  await db.transaction().execute(async (tx) => {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('order_states')
      .values({ order_id: orderId, state: 'held' })
      .onConflict((conflict) => conflict.column('order_id').doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows !== 1n) {
      const { state } = await tx
        .selectFrom('order_states')
        .select('state')
        .where('order_id', '=', orderId)
        .executeTakeFirstOrThrow();
      if (state === 'returned') throw new Problem(409, 'Conflict', `what order ${orderId} held was given back`);
      return;
    }
    for (const { product_id, quantity } of inOrder) {
      const { numUpdatedRows } = await tx
        .updateTable('stock')
        .set((e) => ({ quantity: e('quantity', '-', quantity) }))
        .where('product_id', '=', product_id)
        .where('quantity', '>=', quantity)
        .executeTakeFirst();
      if (numUpdatedRows === 0n)
        throw new Problem(409, 'Conflict', `there are not ${quantity} of product ${product_id}`);
      await tx.insertInto('reservations').values({ order_id: orderId, product_id, quantity }).execute();
    }
  });
}

/** Gives back what an order holds. */
export async function release(db: Kysely<Tables>, orderId: string): Promise<void> {
  await db.transaction().execute((tx) => releaseIn(tx, orderId));
}

async function releaseIn(tx: Transaction<Tables>, orderId: string): Promise<void> {
  await settle(tx, orderId, 'returned');
  const held = await tx.deleteFrom('reservations').where('order_id', '=', orderId).returningAll().execute();
  for (const { product_id, quantity } of held.toSorted((a, b) => (a.product_id < b.product_id ? -1 : 1))) {
    await tx
      .updateTable('stock')
      .set((e) => ({ quantity: e('quantity', '+', quantity) }))
      .where('product_id', '=', product_id)
      .execute();
  }
}

/** The order is paid for: what it holds is sold. */
async function commitIn(tx: Transaction<Tables>, orderId: string): Promise<void> {
  await settle(tx, orderId, 'sold');
  await tx.deleteFrom('reservations').where('order_id', '=', orderId).execute();
}

export interface OrderEvent {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly order_id: string };
}

/** Does what an event asks for, once however often it comes. Returns whether this was the first time. */
export async function handle(db: Kysely<Tables>, event: OrderEvent): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('inbox')
      .values({ event_id: event.id, received_at: new Date().toISOString() })
      .onConflict((conflict) => conflict.column('event_id').doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows !== 1n) return false;
    if (event.type === 'order.confirmed') await commitIn(tx, event.data.order_id);
    if (event.type === 'order.failed') await releaseIn(tx, event.data.order_id);
    return true;
  });
}

async function settle(tx: Transaction<Tables>, orderId: string, state: 'sold' | 'returned'): Promise<void> {
  await tx
    .insertInto('order_states')
    .values({ order_id: orderId, state })
    .onConflict((conflict) => conflict.column('order_id').doUpdateSet({ state }))
    .execute();
}

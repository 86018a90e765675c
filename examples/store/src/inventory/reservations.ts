import type { Kysely } from 'kysely';
import { Problem } from '../shared/problem.ts';
import type { Tables } from './schema.ts';

export interface Item {
  readonly product_id: string;
  readonly quantity: number;
}

/** Takes the items from the stock for an order: all of them or none. Doing it again for the same order changes nothing. */
export async function reserve(db: Kysely<Tables>, orderId: string, items: readonly Item[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const held = await tx
      .selectFrom('reservations')
      .select('order_id')
      .where('order_id', '=', orderId)
      .executeTakeFirst();
    if (held !== undefined) return;
    for (const { product_id, quantity } of items) {
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
  await db.transaction().execute(async (tx) => {
    const held = await tx.deleteFrom('reservations').where('order_id', '=', orderId).returningAll().execute();
    for (const { product_id, quantity } of held) {
      await tx
        .updateTable('stock')
        .set((e) => ({ quantity: e('quantity', '+', quantity) }))
        .where('product_id', '=', product_id)
        .execute();
    }
  });
}

/** The order is paid for: what it holds is sold. */
export async function commit(db: Kysely<Tables>, orderId: string): Promise<void> {
  await db.deleteFrom('reservations').where('order_id', '=', orderId).execute();
}

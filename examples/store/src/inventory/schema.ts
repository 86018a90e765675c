import type { Kysely } from 'kysely';

export interface Tables {
  stock: { product_id: string; quantity: number };
  /** What an order holds; `quantity` is already taken from the stock. */
  reservations: { order_id: string; product_id: string; quantity: number };
}

/** Creates what is missing and seeds it; safe to run by several replicas at once. */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable('stock')
    .ifNotExists()
    .addColumn('product_id', 'text', (column) => column.primaryKey())
    .addColumn('quantity', 'integer', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('reservations')
    .ifNotExists()
    .addColumn('order_id', 'text', (column) => column.notNull())
    .addColumn('product_id', 'text', (column) => column.notNull())
    .addColumn('quantity', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('reservations_key', ['order_id', 'product_id'])
    .execute();
  await db
    .insertInto('stock')
    .values([
      { product_id: '123', quantity: 50 },
      { product_id: '456', quantity: 50 },
    ])
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

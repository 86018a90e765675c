import type { Kysely } from 'kysely';

export interface Tables {
  /** What was paid with is not kept. */
  payments: { payment_id: string; order_id: string; amount_cents: number; status: string };
}

/** Creates what is missing; safe to run by several replicas at once. */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable('payments')
    .ifNotExists()
    .addColumn('payment_id', 'text', (column) => column.primaryKey())
    .addColumn('order_id', 'text', (column) => column.notNull().unique())
    .addColumn('amount_cents', 'integer', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .execute();
}

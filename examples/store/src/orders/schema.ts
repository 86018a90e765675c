import type { Generated, Kysely } from 'kysely';

export interface Tables {
  orders: {
    order_id: string;
    user_id: string;
    status: string;
    amount_cents: number;
    /** JSON: what was ordered, at which price. */
    items: string;
    payment_id: string | null;
    created_at: string;
  };
  /** What was answered to a request with an Idempotency-Key; `order_id` is set once there is an order. */
  idempotency_keys: { key: string; request: string; order_id: string };
  /** Events written in the transaction that caused them, and removed once every subscriber has them. */
  outbox: { id: Generated<number>; event_id: string; type: string; data: string };
}

/** Creates what is missing; safe to run by several replicas at once. */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable('orders')
    .ifNotExists()
    .addColumn('order_id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('amount_cents', 'integer', (column) => column.notNull())
    .addColumn('items', 'text', (column) => column.notNull())
    .addColumn('payment_id', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('idempotency_keys')
    .ifNotExists()
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('order_id', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('outbox')
    .ifNotExists()
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('event_id', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('data', 'text', (column) => column.notNull())
    .execute();
}

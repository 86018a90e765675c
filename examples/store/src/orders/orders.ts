import { randomUUID } from 'node:crypto';
import type { Database } from '../shared/database.ts';
import { notFound } from '../shared/problem.ts';
import { toJson, type Cents } from '../shared/money.ts';
import type { Tables } from './schema.ts';

export type Status = 'pending' | 'confirmed' | 'failed' | 'shipped' | 'delivered' | 'cancelled';

export interface OrderLine {
  readonly product_id: string;
  readonly quantity: number;
  readonly price: number;
}

interface Change {
  readonly from?: Status;
  readonly paymentId?: string;
}

/** Reads and writes orders. A change of state and the event that tells of it are one transaction. */
export class Orders {
  readonly #database: Database<Tables>;
  constructor(database: Database<Tables>) {
    this.#database = database;
  }

  async get(orderId: string): Promise<object> {
    const order = await this.find(orderId);
    if (order === undefined) throw notFound('order', orderId);
    return order;
  }

  async find(orderId: string): Promise<{ readonly status: string } | undefined> {
    const db = await this.#database.queries();
    const row = await db.selectFrom('orders').selectAll().where('order_id', '=', orderId).executeTakeFirst();
    if (row === undefined) return undefined;
    const { amount_cents, items, payment_id, ...order } = row;
    const shown = {
      ...order,
      amount: toJson(amount_cents),
      items: JSON.parse(items) as OrderLine[],
      ...(payment_id === null ? {} : { payment_id }),
    };
    return shown;
  }

  /** The first row of an order. Its outcome is written later, by this process or by whoever settles what it left. */
  async create(orderId: string, userId: string, lines: readonly OrderLine[], amount: Cents): Promise<void> {
    const db = await this.#database.queries();
    const row = { order_id: orderId, user_id: userId, amount_cents: amount, items: JSON.stringify(lines) };
    await db
      .insertInto('orders')
      .values({ ...row, status: 'pending', payment_id: null, created_at: new Date().toISOString() })
      .execute();
  }

  /** Changes the status, from `from` alone where that is said. Returns whether it did. */
  async setStatus(orderId: string, status: Status, { from, paymentId }: Change = {}): Promise<boolean> {
    const db = await this.#database.queries();
    return db.transaction().execute(async (tx) => {
      let update = tx
        .updateTable('orders')
        .set({ status, ...(paymentId === undefined ? {} : { payment_id: paymentId }) })
        .where('order_id', '=', orderId);
      if (from !== undefined) update = update.where('status', '=', from);
      const { numUpdatedRows } = await update.executeTakeFirst();
      if (numUpdatedRows === 0n && from !== undefined) return false;
      if (numUpdatedRows === 0n) throw notFound('order', orderId);
      await tx
        .insertInto('outbox')
        .values({ event_id: randomUUID(), type: `order.${status}`, data: JSON.stringify({ order_id: orderId }) })
        .execute();
      return true;
    });
  }

  /** Orders whose process went away before they came to an end, oldest first. */
  async pendingSince(before: Date): Promise<{ order_id: string }[]> {
    const db = await this.#database.queries();
    return db
      .selectFrom('orders')
      .select('order_id')
      .where('status', '=', 'pending')
      .where('created_at', '<', before.toISOString())
      .orderBy('created_at')
      .limit(50)
      .execute();
  }
}

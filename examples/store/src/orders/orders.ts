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

  async find(orderId: string): Promise<object | undefined> {
    const db = await this.#database.queries();
    const row = await db.selectFrom('orders').selectAll().where('order_id', '=', orderId).executeTakeFirst();
    if (row === undefined) return undefined;
    const { amount_cents, items, payment_id, ...order } = row;
    return {
      ...order,
      amount: toJson(amount_cents),
      items: JSON.parse(items) as OrderLine[],
      ...(payment_id === null ? {} : { payment_id }),
    };
  }

  async create(orderId: string, userId: string, lines: readonly OrderLine[], amount: Cents): Promise<void> {
    const db = await this.#database.queries();
    const row = { order_id: orderId, user_id: userId, amount_cents: amount, items: JSON.stringify(lines) };
    await db
      .insertInto('orders')
      .values({ ...row, status: 'pending', payment_id: null, created_at: new Date().toISOString() })
      .execute();
  }

  async setStatus(orderId: string, status: Status, paymentId?: string): Promise<void> {
    const db = await this.#database.queries();
    await db.transaction().execute(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('orders')
        .set({ status, ...(paymentId === undefined ? {} : { payment_id: paymentId }) })
        .where('order_id', '=', orderId)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw notFound('order', orderId);
      await tx
        .insertInto('outbox')
        .values({ event_id: randomUUID(), type: `order.${status}`, data: JSON.stringify({ order_id: orderId }) })
        .execute();
    });
  }

  /**
   * Remembers that `key` stands for this order. Returns the order it stood for already, if any; `conflict` when it came
   * with another request then.
   */
  async claim(
    key: string,
    request: string,
    orderId: string,
  ): Promise<{ order_id: string; conflict: boolean } | undefined> {
    const db = await this.#database.queries();
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('idempotency_keys')
      .values({ key, request, order_id: orderId })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows !== undefined && numInsertedOrUpdatedRows > 0n) return undefined;
    const earlier = await db
      .selectFrom('idempotency_keys')
      .selectAll()
      .where('key', '=', key)
      .executeTakeFirstOrThrow();
    return { order_id: earlier.order_id, conflict: earlier.request !== request };
  }

  /** Lets a key be used again, because nothing came of the request. */
  async unclaim(key: string): Promise<void> {
    const db = await this.#database.queries();
    await db.deleteFrom('idempotency_keys').where('key', '=', key).execute();
  }
}

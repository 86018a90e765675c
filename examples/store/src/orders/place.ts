import { Problem } from '../shared/problem.ts';
import type { Client } from '../shared/client.ts';
import { fromJson, toJson } from '../shared/money.ts';
import type { OrderLine, Orders } from './orders.ts';

export interface Services {
  readonly catalog: Client;
  readonly inventory: Client;
  readonly payment: Client;
  /** So long after an order was made its payment may begin. */
  readonly payWithinMs: number;
}
export interface Wanted {
  readonly user_id: string;
  readonly items: readonly { readonly product_id: string; readonly quantity: number }[];
  readonly credit_card_number: string;
}

/**
 * Places an order: prices from the catalog, a reservation in the inventory, then the payment. When one of them is
 * refused, what was reserved is given back and the order stays as failed. When it is not known what became of the
 * payment, the order stays pending, and settle.ts finds out later.
 */
export async function place(orderId: string, wanted: Wanted, orders: Orders, services: Services): Promise<void> {
  const lines = await Promise.all(wanted.items.map((item) => price(item, services.catalog)));
  const amount = lines.reduce((sum, line) => sum + fromJson(line.price) * line.quantity, 0);

  // First of all, so that whatever happens next, somebody knows that there is something to bring to an end.
  await orders.create(orderId, wanted.user_id, lines, amount);
  const created = Date.now();
  const reserved = await services.inventory
    .send('POST', '/reservations', { body: { order_id: orderId, items: wanted.items } })
    .catch(async (error: unknown) => {
      await giveUp(orderId, orders, services);
      throw error;
    });
  if (reserved.status !== 201) {
    await giveUp(orderId, orders, services);
    throw passedOn('inventory', reserved, { order_id: orderId });
  }
  // Later, whoever settles what was left might find it unpaid, and call it failed, before the payment is there.
  if (Date.now() - created > services.payWithinMs) {
    await giveUp(orderId, orders, services);
    throw new Problem(502, 'Bad Gateway', 'inventory took too long', { order_id: orderId });
  }
  const { credit_card_number } = wanted;
  const paid = await services.payment.send('POST', '/payment', {
    body: { order_id: orderId, amount: toJson(amount), payment_method: 'credit_card', credit_card_number },
  });
  if (paid.status >= 400 && paid.status < 500) await giveUp(orderId, orders, services);
  if (paid.status !== 201) throw passedOn('payment', paid, { order_id: orderId });
  const { payment_id: paymentId } = paid.json as { payment_id: string };
  if (!(await orders.setStatus(orderId, 'confirmed', { from: 'pending', paymentId })))
    throw new Problem(409, 'Conflict', 'the order was settled by somebody else meanwhile', { order_id: orderId });
}

/** At once where possible; the order.failed event gives it back in any case, and settle.ts writes what this could not. */
async function giveUp(orderId: string, orders: Orders, services: Services): Promise<void> {
  await services.inventory.send('DELETE', `/reservations/${orderId}`).catch(() => undefined);
  await orders.setStatus(orderId, 'failed', { from: 'pending' }).catch(() => undefined);
}

async function price(item: Wanted['items'][number], catalog: Client): Promise<OrderLine> {
  const answer = await catalog.send('GET', `/products/${encodeURIComponent(item.product_id)}`);
  if (answer.status === 404) throw new Problem(422, 'Unprocessable Content', `there is no product ${item.product_id}`);
  if (answer.status !== 200) throw passedOn('catalog', answer);
  return { ...item, price: (answer.json as { price: number }).price };
}

/** What another service refused, as this service's own answer: its word where a client can act on it, else 502. */
function passedOn(
  service: string,
  answer: { status: number; json: unknown },
  extra: Readonly<Record<string, unknown>> = {},
): Problem {
  const detail = (answer.json as { detail?: unknown } | null)?.detail;
  const text = typeof detail === 'string' ? detail : `${service} answered ${answer.status}`;
  if (answer.status === 409) return new Problem(409, 'Conflict', text, extra);
  if (answer.status === 402) return new Problem(402, 'Payment Required', text, extra);
  if (answer.status === 422) return new Problem(422, 'Unprocessable Content', text, extra);
  return new Problem(502, 'Bad Gateway', text, extra);
}

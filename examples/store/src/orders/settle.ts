import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Client } from '../shared/client.ts';
import type { Orders } from './orders.ts';

export interface SettleOptions {
  /** Younger orders may still be in the hands of the request that placed them. */
  readonly afterMs: number;
  readonly everyMs: number;
}

/**
 * Brings orders to an end that were left pending by a process that died, or whose payment got no answer: what is paid
 * for is confirmed, what is not has failed. Returns a function that stops it.
 */
export function settlePending(
  orders: Orders,
  payment: Client,
  log: Logger,
  { afterMs, everyMs }: SettleOptions,
): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function settle(orderId: string): Promise<void> {
    const { status, json } = await payment.send('GET', `/payment/orders/${orderId}`);
    if (status !== 200 && status !== 404) throw new Error(`payment answered ${status}`);
    const changed =
      status === 200
        ? await orders.setStatus(orderId, 'confirmed', {
            from: 'pending',
            paymentId: (json as { payment_id: string }).payment_id,
          })
        : await orders.setStatus(orderId, 'failed', { from: 'pending' });
    if (changed) log.info({ order: orderId, status: status === 200 ? 'confirmed' : 'failed' }, 'settled');
  }
  async function run(): Promise<void> {
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        for (const { order_id } of await orders.pendingSince(new Date(Date.now() - afterMs))) await settle(order_id);
      } catch (error) {
        log.warn({ err: error }, 'pending orders wait');
      }
    }
  }
  const running = run();
  return async () => {
    stopping.abort();
    await running;
  };
}

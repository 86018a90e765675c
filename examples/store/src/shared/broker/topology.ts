import type { Channel } from 'amqplib';

/** Where every event of the store goes; the routing key is its type (order.confirmed). */
export const EVENTS = 'store.events';
/** Where messages go that nobody could do anything with; the routing key is the queue they come from. */
const DEAD = 'store.dead';

/** How often a message is tried before it is dead. */
export const DELIVERIES = 6;

export interface Event {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
}

export async function declareEvents(channel: Channel): Promise<void> {
  await channel.assertExchange(EVENTS, 'topic', { durable: true });
}

export function deadQueueOf(queue: string): string {
  return `${queue}.dead`;
}

/**
 * The queue of one consumer and the queue of its dead letters. Both are quorum queues: they are on disk before a
 * publisher hears so, they count deliveries, and a dead letter leaves its queue only once the other one has it.
 */
export async function declareQueue(channel: Channel, queue: string, types: readonly string[]): Promise<void> {
  await declareEvents(channel);
  await channel.assertExchange(DEAD, 'direct', { durable: true });
  await channel.assertQueue(deadQueueOf(queue), { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue(deadQueueOf(queue), DEAD, queue);
  await channel.assertQueue(queue, {
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-delivery-limit': DELIVERIES - 1,
      'x-dead-letter-exchange': DEAD,
      'x-dead-letter-routing-key': queue,
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    },
  });
  for (const type of types) await channel.bindQueue(queue, EVENTS, type);
}

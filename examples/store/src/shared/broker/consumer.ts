import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { Logger } from 'pino';
import { answered, checkBrokerUrl, connectBroker } from './connection.ts';
import { declareQueue, DELIVERIES } from './topology.ts';

export interface ConsumerOptions<Message> {
  readonly url: string;
  readonly queue: string;
  /** Types of events, with the wildcards of topic exchanges. */
  readonly types: readonly string[];
  /** Throws when a message is none that this consumer will ever understand. */
  readonly parse: (json: unknown) => Message;
  /** Does what a message asks for. A message may come more than once. */
  readonly handle: (message: Message) => Promise<void>;
  /** Rejects while `handle` cannot work whatever the message is (no database, say): messages wait for that to end. */
  readonly able: () => Promise<void>;
  /** How many messages are under way at once. */
  readonly prefetch?: number;
}

export interface Consumer {
  /** Rejects when it is not connected. */
  ping(): Promise<void>;
  /** Takes no more messages and resolves once those under way are done. */
  drain(): Promise<void>;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 3000;
const backoff = (tries: number): number => Math.min(FIRST_WAIT_MS * 2 ** tries, LONGEST_WAIT_MS);

/**
 * Takes messages from a queue, each acknowledged when it is done. What cannot be parsed is a dead letter at once; what
 * fails is tried again after a while, and is a dead letter after so many tries. Connects again when it has to.
 */
export function consume<Message>(options: ConsumerOptions<Message>, log: Logger): Consumer {
  checkBrokerUrl(options.url);
  const stopping = new AbortController();
  const { signal } = stopping;
  const underWay = new Set<Promise<void>>();
  let current: { connection: ChannelModel; channel: Channel; tag: string } | undefined;
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);

  async function work(message: ConsumeMessage, channel: Channel, isOpen: () => boolean): Promise<void> {
    const about = { message: String(message.properties.messageId), queue: options.queue };
    let parsed: Message;
    try {
      parsed = options.parse(JSON.parse(message.content.toString()));
    } catch (error) {
      log.error({ err: error, ...about }, 'dead letter: not understood');
      if (isOpen()) channel.nack(message, false, false);
      return;
    }
    for (let tries = 0; ; tries++) {
      try {
        await options.handle(parsed);
        if (isOpen()) channel.ack(message);
        return;
      } catch (error) {
        const able = await options.able().then(
          () => true,
          () => false,
        );
        if (able) {
          const earlier = Number(message.properties.headers?.['x-delivery-count'] ?? 0);
          log.warn({ err: error, ...about, delivery: earlier + 1, of: DELIVERIES }, 'failed');
          await pause(backoff(earlier));
          if (isOpen()) channel.nack(message, false, true);
          return;
        }
        log.warn({ err: error, ...about }, 'waits');
        await pause(backoff(tries));
        // Whoever comes next gets it: the broker has had no word that it is done.
        if (signal.aborted || !isOpen()) return;
      }
    }
  }

  async function connected(): Promise<void> {
    const connection = await connectBroker(options.url, options.queue);
    let open = true;
    const lost = new Promise<void>((done) => {
      connection.on('close', () => {
        open = false;
        done();
      });
    });
    try {
      const channel = await answered(connection, async () => {
        const made = await connection.createChannel();
        made.on('error', (error: Error) => log.warn({ err: error }, 'channel'));
        made.on('close', () => {
          open = false;
          connection.close().catch(() => undefined);
        });
        await declareQueue(made, options.queue, options.types);
        await made.prefetch(options.prefetch ?? 10);
        return made;
      });
      if (signal.aborted) return;
      const { consumerTag } = await channel.consume(options.queue, (message) => {
        // The queue is gone: connecting again declares it.
        if (message === null) return void connection.close().catch(() => undefined);
        const done = work(message, channel, () => open).finally(() => underWay.delete(done));
        underWay.add(done);
      });
      current = { connection, channel, tag: consumerTag };
      log.info({ queue: options.queue }, 'consuming');
      await lost;
    } finally {
      current = undefined;
      if (open) await connection.close().catch(() => undefined);
    }
  }

  async function run(): Promise<void> {
    for (let tries = 0; !signal.aborted; tries++) {
      const started = performance.now();
      await connected().catch((error: unknown) => log.warn({ err: error }, 'no broker'));
      if (performance.now() - started > LONGEST_WAIT_MS) tries = 0;
      if (!signal.aborted) await pause(backoff(tries));
    }
  }
  const running = run().catch((error: unknown) => log.error({ err: error }, 'the consumer ended'));

  return {
    async ping() {
      if (current === undefined) throw new Error('not connected');
    },
    async drain() {
      const last = current;
      await last?.channel.cancel(last.tag).catch(() => undefined);
      stopping.abort();
      await Promise.all(underWay);
      // With it goes what is acknowledged but not sent yet; closing waits for the broker's answer.
      await last?.channel.close().catch(() => undefined);
      await last?.connection.close().catch(() => undefined);
      await running;
    },
  };
}

import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { answered, checkBrokerUrl, connectBroker } from './connection.ts';
import { declareEvents, EVENTS, type Event } from './topology.ts';

const CONFIRM_MS = 5000;

export interface Publisher {
  /**
   * Resolves once the broker has the event safe in every queue that it is for. Rejects when it has not said so, or when
   * there is no queue for it: then it may have it or not, and publishing it again is what to do.
   */
  publish(event: Event): Promise<void>;
  /** Rejects when there is no connection to the broker. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

interface Open {
  readonly connection: ChannelModel;
  readonly channel: ConfirmChannel;
  /** Messages that came back because no queue wanted them; the broker says so before it confirms. */
  readonly returned: Set<string>;
}

/** Connects with the first event, and again with the first one after a connection was lost. */
export function openPublisher(url: string, name: string): Publisher {
  checkBrokerUrl(url);
  let opening: Promise<Open> | undefined;

  async function open(forget: () => void): Promise<Open> {
    const connection = await connectBroker(url, name);
    connection.on('close', forget);
    const returned = new Set<string>();
    return answered(connection, async () => {
      const channel = await connection.createConfirmChannel();
      channel.on('error', () => undefined);
      channel.on('close', forget);
      channel.on('return', ({ properties }) => returned.add(String(properties.messageId)));
      await declareEvents(channel);
      return { connection, channel, returned };
    });
  }
  function current(): Promise<Open> {
    if (opening !== undefined) return opening;
    // A connection that ends late must not take the next one with it.
    const forget = (): void => {
      if (opening === mine) opening = undefined;
    };
    const mine = open(forget).catch((error: unknown) => {
      forget();
      throw error;
    });
    return (opening = mine);
  }

  return {
    async publish(event) {
      const used = current();
      const { connection, channel, returned } = await used;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          // What becomes of it is unknown, and so is the state of the connection.
          if (opening === used) opening = undefined;
          reject(new Error(`no confirmation in ${CONFIRM_MS} ms`));
          connection.close().catch(() => undefined);
        }, CONFIRM_MS);
        const confirmed = (error: unknown): void => {
          clearTimeout(timer);
          if (error !== null && error !== undefined) reject(new Error('the broker did not take it', { cause: error }));
          else if (returned.delete(event.id)) reject(new Error(`no queue is bound for ${event.type}`));
          else resolve();
        };
        const options = { persistent: true, mandatory: true, messageId: event.id, type: event.type };
        const content = Buffer.from(JSON.stringify(event));
        try {
          channel.publish(EVENTS, event.type, content, { ...options, contentType: 'application/json' }, confirmed);
        } catch (error) {
          // The channel is closed.
          confirmed(error);
        }
      });
    },
    async ping() {
      await current();
    },
    async close() {
      const opened = await opening?.catch(() => undefined);
      await opened?.connection.close().catch(() => undefined);
    },
  };
}

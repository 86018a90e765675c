import type { ChannelModel } from 'amqplib';
import { optional } from '../optional.ts';
import { version } from '../version.ts';

const CONNECT_MS = 5000;
const HEARTBEAT_S = 10;

export function checkBrokerUrl(url: string): void {
  if (!/^amqps?:/.test(url)) throw new Error(`AMQP_URL ${url.split(':')[0]}: is not supported; use amqp://…`);
}

/** One connection to the broker; `name` is what its own tools show. Rejects when there is none in five seconds. */
export async function connectBroker(url: string, name: string): Promise<ChannelModel> {
  const { connect } = await optional(() => import('amqplib'), 'amqplib', 'AMQP_URL');
  const target = new URL(url);
  if (!target.searchParams.has('heartbeat')) target.searchParams.set('heartbeat', String(HEARTBEAT_S));
  const connecting = connect(target.href, {
    timeout: CONNECT_MS,
    clientProperties: { connection_name: name, product: 'store', version },
  });
  let late = false;
  // A connection that comes after nobody waits for it any more is closed, and why it failed then interests nobody.
  connecting.then(
    (connection) => (late ? connection.close() : undefined),
    () => undefined,
  );
  let timer: NodeJS.Timeout | undefined;
  try {
    const connection = await Promise.race([
      connecting,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          late = true;
          reject(new Error(`the broker did not answer in ${CONNECT_MS} ms`));
        }, CONNECT_MS);
      }),
    ]);
    // Its `close` event tells of the same; without a listener the process would end.
    connection.on('error', () => undefined);
    return connection;
  } finally {
    clearTimeout(timer);
  }
}

/** What `ask` gets from the broker over a connection just made; closes it and rejects when that takes over five seconds. */
export async function answered<Answer>(connection: ChannelModel, ask: () => Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the broker did not answer in ${CONNECT_MS} ms`)), CONNECT_MS);
  });
  try {
    return await Promise.race([ask(), late]);
  } catch (error) {
    connection.close().catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

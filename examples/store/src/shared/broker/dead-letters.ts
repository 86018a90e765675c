/**
 * Looks at the dead letters of a queue, and puts them back once their cause is mended:
 *
 *     AMQP_URL=amqp://… node src/shared/broker/dead-letters.ts inventory.events [--redrive]
 */
import { parseArgs } from 'node:util';
import { setting } from '../settings.ts';
import { connectBroker } from './connection.ts';
import { deadQueueOf } from './topology.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { redrive: { type: 'boolean' } } });
const [queue] = positionals;
if (queue === undefined) throw new Error('usage: dead-letters.ts QUEUE [--redrive]');

const connection = await connectBroker(setting('AMQP_URL'), 'dead-letters');
const channel = await connection.createConfirmChannel();
const { messageCount } = await channel.checkQueue(deadQueueOf(queue));
for (let i = 0; i < messageCount; i++) {
  const message = await channel.get(deadQueueOf(queue));
  if (message === false) break;
  const { messageId, headers } = message.properties;
  const [death] = headers?.['x-death'] ?? [];
  console.log(JSON.stringify({ id: messageId, reason: death?.reason, content: message.content.toString() }));
  if (values.redrive !== true) continue;
  // Without the history of its earlier life, or it would be dead again at once. It leaves here when it is there.
  const { contentType, type } = message.properties;
  channel.sendToQueue(queue, message.content, { persistent: true, messageId, contentType, type });
  await channel.waitForConfirms();
  channel.ack(message);
}
// Those that were only looked at go back to where they were.
await channel.close();
await connection.close();

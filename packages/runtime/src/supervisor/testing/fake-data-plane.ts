import type { FromProxy, ToProxy } from '@mizzen/proxy/process/protocol.ts';

/** A data plane for tests that carries nothing: every node is ready at once. */
const send = (message: FromProxy): void => void process.send?.(message);

process.on('message', (message: ToProxy) => {
  if (message.type === 'start') send({ type: 'ready', node: message.node });
  if (message.type === 'stop') send({ type: 'stopped', node: message.node });
  if (message.type === 'shutdown') process.exit(0);
});
process.on('disconnect', () => process.exit(0));
send({ type: 'hello' });

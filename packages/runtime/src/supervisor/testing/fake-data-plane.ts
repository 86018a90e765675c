import type { FromProxy, ToProxy } from '@mizzen/proxy/process/protocol.ts';

/** A data plane for tests that carries nothing: every node is ready at once, and complains when it starts twice. */
const send = (message: FromProxy): void => void process.send?.(message);

const nodes = new Set<string>();

process.on('message', (message: ToProxy) => {
  if (message.type === 'start') {
    const { node } = message;
    if (nodes.has(node)) send({ type: 'log', level: 'warning', node, message: 'is already running' });
    nodes.add(node);
    send({ type: 'ready', node });
  }
  if (message.type === 'stop') send({ type: 'stopped', node: message.node });
  if (message.type === 'shutdown') process.exit(0);
});
process.on('disconnect', () => process.exit(0));
send({ type: 'hello' });

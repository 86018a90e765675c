import { connect } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { LoopbackServer } from './loopback.ts';

test('a connection that has said nothing, as browsers open them ahead, does not hold up the end', async () => {
  const server = new LoopbackServer(
    {},
    () => undefined,
    () => undefined,
  );
  const port = await server.listen(0);
  const sockets = ['', 'PRI', 'GET /'].map((said) => {
    const socket = connect(port, '127.0.0.1');
    if (said !== '') socket.write(said);
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  await new Promise<void>((resolve) => void setTimeout(resolve, 100));
  const closed = sockets.map((socket) => once(socket.on('error', () => undefined).resume(), 'close'));
  // Node itself would give them a minute.
  await server.close();
  expect(await Promise.all(closed)).toHaveLength(3);
}, 20_000);

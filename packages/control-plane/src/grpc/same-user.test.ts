import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type Connection, ofSameUser } from './same-user.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function listen(host: string): Promise<{ readonly port: number; readonly next: Promise<Socket> }> {
  const server = createServer();
  open.push(server);
  await new Promise<void>((done) => server.listen(0, host, done));
  return { port: (server.address() as AddressInfo).port, next: new Promise((done) => server.once('connection', done)) };
}

const isSameUser = async (connection: Connection): Promise<boolean> => (await ofSameUser([connection])).has(connection);
// Elsewhere the kernel does not tell whose a connection is, and nobody is taken for the same user.
const linux = process.platform === 'linux';

test.runIf(linux).each(['127.0.0.1', '::'])(
  'a process of this user is known as one (listening on %s)',
  async (host) => {
    const { port, next } = await listen(host);
    const client = connect(port, '127.0.0.1');
    const socket = await next;
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    const connection = { remoteAddress, remotePort, localAddress, localPort };
    expect(await isSameUser(connection)).toBe(true);
    expect(await isSameUser({ ...connection, localPort: port + 1 })).toBe(false);
    expect(await isSameUser({ ...connection, localAddress: '127.0.0.2' })).toBe(false);
    client.destroy();
    socket.destroy();
  },
);

test('what is no connection of this machine is nobody’s', async () => {
  const here = { localAddress: '127.0.0.1', localPort: 15_010 };
  for (const remoteAddress of [undefined, '', 'unknown', '10.0.0.1', '::1', '127.0.0.1']) {
    for (const remotePort of [undefined, 1, 70_000]) {
      expect(await isSameUser({ ...here, remoteAddress, remotePort })).toBe(false);
    }
  }
});

test.runIf(linux)('a connection that nobody holds any more is nobody’s', async () => {
  const { port, next } = await listen('127.0.0.1');
  const client = connect(port, '127.0.0.1');
  const socket = await next;
  client.destroy();
  await new Promise((done) => client.once('close', done));
  expect(await isSameUser(socket)).toBe(false);
  socket.destroy();
});

/** Only root can be somebody else. */
test.runIf(linux && process.getuid?.() === 0)('a process of another user is not', async () => {
  const { port, next } = await listen('127.0.0.1');
  const program = `exec 3<>/dev/tcp/127.0.0.1/${port}; read -r line <&3`;
  const child = spawn('/bin/bash', ['-c', program], { uid: 65_534, gid: 65_534, cwd: '/', stdio: 'ignore' });
  const socket = await next;
  expect(await isSameUser(socket)).toBe(false);
  socket.destroy();
  await new Promise((done) => child.once('close', done));
});

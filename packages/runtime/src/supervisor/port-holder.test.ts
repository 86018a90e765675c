import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { portHolder } from './port-holder.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function here(host: string, port = 0): Promise<number> {
  const server = createServer();
  server.listen({ host, port });
  await once(server, 'listening');
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

/** Listens in a process of its own. */
async function elsewhere(host: string, port: number): Promise<ChildProcess> {
  const program = `require('node:net').createServer().listen(${port}, '${host}', () => console.log('listening'))`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  closing.push(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return child;
}

test('who listens on a port is named', async () => {
  expect(portHolder(await here('127.0.0.1'))?.pid).toBe(process.pid);
  expect(portHolder(await here('0.0.0.0'))?.pid).toBe(process.pid);
});

test.runIf(process.platform === 'linux')('of several addresses, the holder of the one that is wanted', async () => {
  const port = await here('127.0.0.1');
  const other = await elsewhere('127.77.0.9', port);
  expect(portHolder(port, '127.0.0.1')?.pid).toBe(process.pid);
  expect(portHolder(port, '127.77.0.9')?.pid).toBe(other.pid);
  expect(portHolder(port, '127.77.0.10')).toBeUndefined();
  expect([process.pid, other.pid]).toContain(portHolder(port, '0.0.0.0')?.pid);
});

test.runIf(process.platform === 'linux')('whoever has every address has this one', async () => {
  const port = await here('::');
  expect(portHolder(port, '127.0.0.1')?.pid).toBe(process.pid);
});

import { once } from 'node:events';
import { get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AdminContext } from './context.ts';
import { AdminRequests } from './admin-stats.ts';
import type { AdminStats } from './stats.ts';
import { systemDeps } from '../process/deps.ts';
import { serveAdmin } from './server.ts';

let server: Server;
beforeEach(async () => {
  const context = {
    node: { ready: true },
    bootstrap: { adminPaths: [], adminLogs: [] },
    deps: systemDeps(),
  } as unknown as AdminContext;
  server = serveAdmin(
    context,
    { requests: new AdminRequests(systemDeps().clock, () => true) } as AdminStats,
    '127.0.0.1',
    0,
  );
  await once(server, 'listening');
});
afterEach(() => server.close());

async function statusOf(path: string, headers: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
  const { port } = server.address() as AddressInfo;
  const [response] = await once(get({ host: '127.0.0.1', port, path, headers, agent: false }), 'response');
  (response as { resume(): void }).resume();
  return (response as { readonly statusCode?: number }).statusCode;
}

test('what is no address is a bad request, no crash', async () => {
  expect(await statusOf('//')).toBe(400);
  expect(await statusOf('/ready')).toBe(200);
});

test('a Host of another name is refused: DNS rebinding', async () => {
  expect(await statusOf('/ready', { host: 'evil.example' })).toBe(403);
});

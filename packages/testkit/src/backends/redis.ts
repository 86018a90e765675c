import { freePort } from '../ports.ts';
import { requireTool } from '../tools.ts';
import { dataFolder, runBackend, unprivileged, type Backend } from './backend.ts';

/** Redis on loopback; nothing is kept on disk. */
export async function startRedis(port?: number): Promise<Backend> {
  const user = unprivileged('redis');
  const folder = dataFolder('redis', user);
  const onPort = port ?? (await freePort());
  return runBackend(onPort, folder, user, {
    program: requireTool('redis-server'),
    args: ['--port', String(onPort), '--bind', '127.0.0.1', '--save', '', '--dir', folder],
    ready: /Ready to accept connections/,
  });
}

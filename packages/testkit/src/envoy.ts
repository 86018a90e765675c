import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServerProcess, type ServerProcess } from './server-process.ts';
import { freePort } from './ports.ts';
import { envoyBinary } from './tools.ts';

export interface RunningEnvoy {
  readonly adminPort: number;
  /** Everything it wrote so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Two Envoys with the same are in each other's way, and one process of tests starts hundreds. */
let nextBaseId = 1000 + (process.pid % 200_000) * 1000;

/** Starts the real Envoy, one worker, with a bootstrap file that has an admin endpoint at `adminPort` of 127.0.0.1. */
export function startEnvoyFile(file: string, adminPort: number, args: readonly string[] = []): Promise<ServerProcess> {
  return startServerProcess(
    envoyBinary(),
    ['-c', file, '--concurrency', '1', '--base-id', String(nextBaseId++), '-l', 'warning', ...args],
    adminPort,
  );
}

/**
 * Starts the real Envoy with `bootstrap` (an admin section is added) and waits until it is ready.
 * Rejects with its output when it refuses the configuration.
 */
export async function startEnvoy(
  bootstrap: object,
  options: { readonly args?: readonly string[] } = {},
): Promise<RunningEnvoy> {
  const adminPort = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-envoy-'));
  const file = join(folder, 'envoy.json');
  const admin = { address: { socketAddress: { address: '127.0.0.1', portValue: adminPort } } };
  writeFileSync(file, JSON.stringify({ ...bootstrap, admin }));
  const server = await startEnvoyFile(file, adminPort, options.args);
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { adminPort, output: () => server.output(), stop };
}

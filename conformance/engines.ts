import { join } from 'node:path';
import { repositoryRoot, startEnvoyFile, startServerProcess, type ServerProcess } from '@mizzen/testkit';

const MIZZEN = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');

/** How each proxy is started with a bootstrap file. */
export const ENGINES = {
  envoy: startEnvoyFile,
  mizzen: (file: string, adminPort: number, flags: readonly string[]): Promise<ServerProcess> =>
    startServerProcess(process.execPath, [MIZZEN, 'proxy', '-c', file, ...flags], adminPort),
} as const;

export type Engine = keyof typeof ENGINES;

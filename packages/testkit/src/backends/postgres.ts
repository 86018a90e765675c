import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../ports.ts';
import { requireTool } from '../tools.ts';
import { dataFolder, runBackend, unprivileged, type Backend } from './backend.ts';

/** Debian keeps the programs of each major version in a folder of its own, off the path. */
export function postgresProgram(name: string): string {
  const [found] = globSync(`/usr/lib/postgresql/*/bin/${name}`).toSorted().toReversed();
  return found !== undefined && existsSync(found) ? found : requireTool(name, 'postgresql');
}

/** PostgreSQL on loopback with the superuser `store`, whose password is `store`, and the databases named. */
export async function startPostgres(databases: readonly string[] = [], port?: number): Promise<Backend> {
  const user = unprivileged('postgres');
  const folder = dataFolder('postgres', user);
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  const as = { cwd: folder, stdio: 'pipe', ...user } as const;
  execFileSync('/bin/sh', ['-c', `echo store > ${passwordFile}`], as);
  execFileSync(
    postgresProgram('initdb'),
    ['-D', data, '-U', 'store', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '-N'],
    as,
  );
  const onPort = port ?? (await freePort());
  const backend = await runBackend(onPort, folder, user, {
    program: postgresProgram('postgres'),
    args: [
      '-D',
      data,
      '-p',
      String(onPort),
      '-k',
      folder,
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'shared_buffers=16MB',
    ],
    ready: /database system is ready to accept connections/,
  });
  for (const name of databases) {
    execFileSync(postgresProgram('createdb'), ['-h', '127.0.0.1', '-p', String(onPort), '-U', 'store', name], {
      ...as,
      env: { PATH: process.env.PATH, PGPASSWORD: 'store' },
    });
  }
  return backend;
}

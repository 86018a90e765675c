import { relative, resolve } from 'node:path';
import type { ConfigStatusAnswer } from '@mizzen/runtime/api/types.ts';
import { ApiError } from '@mizzen/runtime/supervisor/api-client.ts';
import { readFiles, type ReadResult } from '@mizzen/sources';
import { list, text, UsageError, type Invocation } from '../command.ts';
import { checkNamed } from '../named-files.ts';
import { client } from '../running.ts';

/** The files that were named, or those of the running mesh. @throws UsageError when there are none. */
export async function loadMesh({ values }: Invocation): Promise<ReadResult> {
  const named = list(values, 'config');
  const meshConfig = text(values, 'mesh-config');
  checkNamed(named, meshConfig);
  if (named.length > 0) return readFiles(named, { meshConfig });
  const running = await status(values);
  const here = (path: string): string => (path === '-' ? path : relative('', resolve(running.directory, path)) || '.');
  const own = running.meshConfig === '' ? undefined : here(running.meshConfig);
  return readFiles(running.paths.map(here), { meshConfig: meshConfig ?? own });
}

async function status(values: Invocation['values']): Promise<ConfigStatusAnswer> {
  try {
    return await client(values).get<ConfigStatusAnswer>('/api/config/status');
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new UsageError(`no configuration given, and ${error.message}`, 'name files or directories with --config');
  }
}

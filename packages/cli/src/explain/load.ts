import { relative, resolve } from 'node:path';
import type { ConfigStatusAnswer, WorkloadsAnswer } from '@mizzen/runtime/api/types.ts';
import type { OfflineOptions } from '@mizzen/runtime/control/offline.ts';
import type { RunningPod } from '@mizzen/runtime/control/synthesize.ts';
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

/** Where things are in the running mesh; of one that does not answer, nothing is known. */
export async function runningPlaces(
  values: Invocation['values'],
): Promise<Pick<OfflineOptions, 'running' | 'gatewayPorts'>> {
  let answer: WorkloadsAnswer;
  try {
    answer = await client(values).get<WorkloadsAnswer>('/api/workloads');
  } catch (error) {
    if (error instanceof ApiError) return {};
    throw error;
  }
  const gatewayPorts: Record<number, number> = {};
  const running = answer.workloads.flatMap(({ namespace, name: owner, pods }) =>
    pods.map(({ name, address, httpProxy, applicationPorts, gatewayPorts: own }): RunningPod => {
      for (const [port, place] of Object.entries(own)) gatewayPorts[Number(port)] = placeOf(place).port;
      const proxy = httpProxy === '' ? undefined : placeOf(httpProxy);
      return { owner: { namespace, name: owner }, name, address, applicationPorts, httpProxy: proxy };
    }),
  );
  return { running, gatewayPorts };
}

/** `ADDRESS:PORT` */
function placeOf(text: string): { readonly address: string; readonly port: number } {
  const at = text.lastIndexOf(':');
  return { address: text.slice(0, at), port: Number(text.slice(at + 1)) };
}

async function status(values: Invocation['values']): Promise<ConfigStatusAnswer> {
  try {
    return await client(values).get<ConfigStatusAnswer>('/api/config/status');
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new UsageError(`no configuration given, and ${error.message}`, 'name files or directories with --config');
  }
}

import type { types } from '@mizzen/xds';
import type { CompileContext } from './context.ts';
import type { Path } from './path.ts';
import { compileMetadata } from './grpc-metadata.ts';

/** A source that can be opened: refuses what it lacks. */
export function checkConfigSource(
  context: CompileContext,
  source: types.core.ConfigSource | undefined,
  path: Path,
): void {
  if (source === undefined) return;
  if (source.apiConfigSource !== undefined)
    return checkApiSource(context, source.apiConfigSource, [...path, 'apiConfigSource']);
  if (source.pathConfigSource !== undefined) {
    const { path: file = '', watchedDirectory } = source.pathConfigSource;
    if (watchedDirectory !== undefined)
      checkFolder(context, watchedDirectory.path ?? '', [...path, 'pathConfigSource', 'watchedDirectory', 'path']);
    return checkFile(context, file, [...path, 'pathConfigSource', 'path']);
  }
  if (source.path !== undefined) return checkFile(context, source.path, [...path, 'path']);
  if (source.ads === undefined) context.refuse(path, 'must say where resources come from');
}

/** What is to be watched must be there when watching begins. */
function checkFile(context: CompileContext, file: string, path: Path): void {
  if (file === '') return context.refuse(path, 'must not be empty');
  try {
    context.deps.readFile(file);
  } catch (error) {
    context.refuse(path, `\`${file}\` cannot be read: ${(error as Error).message}`);
  }
}

function checkFolder(context: CompileContext, folder: string, path: Path): void {
  if (folder === '') return context.refuse(path, 'must not be empty');
  try {
    context.deps.readFile(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR') return;
    context.refuse(path, `\`${folder}\` cannot be watched: ${(error as Error).message}`);
  }
}

export function checkApiSource(context: CompileContext, api: types.core.ApiConfigSource, path: Path): void {
  const type = api.apiType ?? 'DEPRECATED_AND_UNAVAILABLE_DO_NOT_USE';
  if (type !== 'GRPC' && type !== 'DELTA_GRPC') context.refuse([...path, 'apiType'], 'must be GRPC or DELTA_GRPC');
  if ((api.transportApiVersion ?? 'AUTO') !== 'V3') context.refuse([...path, 'transportApiVersion'], 'must be V3');
  const services = api.grpcServices ?? [];
  if (services.length !== 1) return context.refuse([...path, 'grpcServices'], 'must name one service');
  if ((services[0]!.envoyGrpc?.clusterName ?? '') === '')
    context.refuse([...path, 'grpcServices', 0, 'envoyGrpc', 'clusterName'], 'must not be empty');
  compileMetadata(context, services[0]!.initialMetadata, [...path, 'grpcServices', 0]);
}

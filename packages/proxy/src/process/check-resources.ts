import type { CompileDeps } from '../program/types.ts';
import { type JsonObject, TypeUrl } from '@mizzen/xds';
import type { Nack } from '../types.ts';
import { compilers } from '../xds/compilers.ts';
import type { BootstrapProgram } from './bootstrap.ts';
import { field } from './field.ts';

export type CheckedKind = 'secret' | 'cluster' | 'listener';

/** Compiles what a bootstrap holds, without running any of it; what is refused. */
export function checkResources(
  { resources, http2Clusters }: BootstrapProgram,
  deps: CompileDeps,
  kinds: readonly CheckedKind[] = ['secret', 'cluster', 'listener'],
): readonly Nack[] {
  const clusters = new Set((resources[TypeUrl.cluster] ?? []).map(({ name }) => name));
  const secrets = new Map(
    (resources[TypeUrl.secret] ?? []).map(({ name, resource }) => [name, resource as JsonObject]),
  );
  const informed: CompileDeps = {
    ...deps,
    speaksHttp2: (cluster) => http2Clusters.has(cluster),
    hasCluster: (cluster) => clusters.has(cluster),
    hasSecret: (secret, kind) => field(secrets.get(secret) ?? {}, kind) !== undefined,
  };
  return kinds.flatMap((kind) =>
    (resources[TypeUrl[kind]] ?? []).flatMap(({ resource }) => compilers[kind](resource, informed).nacks ?? []),
  );
}

import type { types } from '@mizzen/xds';
import { checkApiSource } from '../program/config-source.ts';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { metadataOf } from '../program/grpc-metadata.ts';

/** Where load is reported to, and how it is spoken to. */
export interface LoadStatsProgram {
  readonly cluster: string;
  readonly authority: string;
  readonly metadata: readonly (readonly [string, string])[];
  readonly skipEnvoyHeaders: boolean;
}

/** Nobody: there is no service that would be told, as Istio's agent may write it. Envoy checks such a file well, and ends as it starts. */
export function compileLoadStats(
  context: CompileContext,
  config: types.core.ApiConfigSource | undefined,
  path: Path,
  clusters: ReadonlySet<string>,
): LoadStatsProgram | 'nobody' | undefined {
  if (config === undefined) return undefined;
  if (config.grpcServices === undefined || config.grpcServices.length === 0) return 'nobody';
  checkApiSource(context, config, path);
  const { envoyGrpc, initialMetadata } = config.grpcServices[0]!;
  const cluster = envoyGrpc?.clusterName ?? '';
  if (cluster !== '' && !clusters.has(cluster))
    context.refuse(
      [...path, 'grpcServices', 0, 'envoyGrpc', 'clusterName'],
      `there is no static cluster \`${cluster}\``,
    );
  return {
    cluster,
    authority: (envoyGrpc?.authority ?? '') === '' ? cluster : envoyGrpc!.authority!,
    metadata: metadataOf(initialMetadata),
    skipEnvoyHeaders: envoyGrpc?.skipEnvoyHeaders === true,
  };
}

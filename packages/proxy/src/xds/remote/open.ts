import type { JsonObject, types } from '@mizzen/xds';
import type { Deps } from '../../deps.ts';
import { milliseconds } from '../../program/values.ts';
import type { UpstreamCluster } from '../../types.ts';
import type { ControlPlaneStats, XdsSource } from '../source.ts';
import { FileXdsSource } from './file-source.ts';
import { GrpcXdsSource } from './grpc-source.ts';
import { IncrementalProtocol } from './incremental.ts';
import { ADS, SERVICES } from './services.ts';
import { WorldProtocol } from './world.ts';
import { metadataOf } from '../../program/grpc-metadata.ts';
import { envoyHeaders } from '../../grpc/stream.ts';

/** gRPC's own limit for received messages does not hold in Envoy; this bounds what is buffered, bytes. */
const MAX_MESSAGE = 256 * 1024 * 1024;

/** Never answers. */
const SILENT: XdsSource = { subscribe: () => ({ follow: () => undefined }), close: () => undefined };

export interface OpenOptions {
  readonly deps: Deps;
  readonly ads: types.core.ApiConfigSource | undefined;
  readonly node: JsonObject;
  readonly cluster: (name: string) => UpstreamCluster | undefined;
  /** Of the stream of all resources. */
  readonly stats: ControlPlaneStats;
  readonly onLog: (level: 'info' | 'warning', message: string) => void;
}

/** Opens the sources that configurations name; whoever names the same one gets the same stream. */
export class SourceOpener {
  readonly #options: OpenOptions;
  readonly #sources = new Map<string, XdsSource>();

  constructor(options: OpenOptions) {
    this.#options = options;
  }

  open(typeUrl: string, source: types.core.ConfigSource): XdsSource {
    const { initialFetchTimeout: _, ...place } = source;
    const key = source.ads === undefined ? `${typeUrl} ${JSON.stringify(place)}` : 'ads';
    let opened = this.#sources.get(key);
    if (opened === undefined) this.#sources.set(key, (opened = this.#open(typeUrl, source)));
    return opened;
  }

  #open(typeUrl: string, source: types.core.ConfigSource): XdsSource {
    const { ads, apiConfigSource, pathConfigSource } = source;
    const { onLog } = this.#options;
    if (ads !== undefined) {
      if (this.#options.ads !== undefined) return this.#grpc(this.#options.ads, ADS, this.#options.stats);
      onLog('warning', 'resources are to come from ADS, but the bootstrap has no `dynamicResources.adsConfig`');
      return SILENT;
    }
    if (apiConfigSource !== undefined) return this.#grpc(apiConfigSource, SERVICES[typeUrl]!);
    // `path` alone is the older way to name a file.
    const { path = source.path ?? '', watchedDirectory } = pathConfigSource ?? {};
    return new FileXdsSource({ path, watchedDirectory: watchedDirectory?.path, onLog });
  }

  #grpc(api: types.core.ApiConfigSource, methods: typeof ADS, aggregated?: ControlPlaneStats): XdsSource {
    const { deps, cluster, node, onLog } = this.#options;
    const [service] = api.grpcServices!;
    const {
      clusterName = '',
      authority = '',
      retryPolicy,
      skipEnvoyHeaders = false,
      maxReceiveMessageLength = MAX_MESSAGE,
    } = service!.envoyGrpc!;
    const incremental = api.apiType === 'DELTA_GRPC';
    const base = milliseconds(retryPolicy?.retryBackOff?.baseInterval, 500);
    return new GrpcXdsSource({
      deps,
      protocol: incremental ? new IncrementalProtocol() : new WorldProtocol(),
      path: incremental ? methods.incremental : methods.world,
      server: clusterName,
      cluster: () => cluster(clusterName),
      authority: authority === '' ? clusterName : authority,
      metadata: [...metadataOf(service!.initialMetadata), ...(skipEnvoyHeaders ? [] : envoyHeaders(deps))],
      maxMessage: maxReceiveMessageLength,
      node,
      nodeOnFirstOnly: api.setNodeOnFirstMessageOnly === true,
      backOff: { base, max: milliseconds(retryPolicy?.retryBackOff?.maxInterval, Math.max(30_000, base)) },
      stats: aggregated ?? { connected_state: 0, pending_requests: 0, identifier: '' },
      aggregated: aggregated !== undefined,
      onLog,
    });
  }
}

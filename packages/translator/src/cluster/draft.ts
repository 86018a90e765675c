import type { Cluster, types } from '@mizzen/xds';
import { HEADER_CASE } from '../filters/proxy-config.ts';
import type { Draft } from '../draft.ts';

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

export type HttpOptions = Draft<types.httpProtocolOptions.HttpProtocolOptions>;

/** A cluster being built, with its HTTP options, which are wrapped last. */
export interface ClusterDraft {
  readonly cluster: Draft<Cluster>;
  http: HttpOptions | undefined;
  /** Keeps the names of headers as they are written, where HTTP/1 is spoken. */
  keepsCase?: boolean;
}

export function httpOptions(draft: ClusterDraft): HttpOptions {
  draft.http ??= {};
  return draft.http;
}

export function speakHttp2(draft: ClusterDraft): void {
  const options = httpOptions(draft);
  options.useDownstreamProtocolConfig = undefined;
  options.explicitHttpConfig = { http2ProtocolOptions: {} };
}

/** HTTP/2 to the upstream when the client speaks it, HTTP/1.1 otherwise. */
export function speakAsDownstream(draft: ClusterDraft): void {
  const options = httpOptions(draft);
  options.explicitHttpConfig = undefined;
  options.useDownstreamProtocolConfig = { httpProtocolOptions: {}, http2ProtocolOptions: {} };
}

export function isHttp2(draft: ClusterDraft): boolean {
  return draft.http?.explicitHttpConfig?.http2ProtocolOptions !== undefined;
}

export function finish(draft: ClusterDraft): Cluster {
  if (draft.keepsCase === true) keepCase(draft);
  const { cluster, http } = draft;
  if (http !== undefined) {
    if (http.explicitHttpConfig === undefined && http.useDownstreamProtocolConfig === undefined) {
      http.explicitHttpConfig = { httpProtocolOptions: {} };
    }
    cluster.typedExtensionProtocolOptions = {
      [HTTP_OPTIONS]: { '@type': `type.googleapis.com/${HTTP_OPTIONS}`, ...definedOnly(http) },
    };
  }
  return definedOnly(cluster);
}

function keepCase(draft: ClusterDraft): void {
  const options = httpOptions(draft);
  const { explicitHttpConfig: explicit, useDownstreamProtocolConfig: downstream } = options;
  const withCase = (http1: types.core.Http1ProtocolOptions | undefined): types.core.Http1ProtocolOptions => ({
    ...http1,
    headerKeyFormat: HEADER_CASE,
  });
  if (downstream !== undefined) {
    options.useDownstreamProtocolConfig = {
      ...downstream,
      httpProtocolOptions: withCase(downstream.httpProtocolOptions),
    };
  } else if (explicit?.http2ProtocolOptions === undefined) {
    options.explicitHttpConfig = { httpProtocolOptions: withCase(explicit?.httpProtocolOptions) };
  }
}

function definedOnly<T extends object>(message: T): T {
  for (const key in message) if (message[key] === undefined) delete message[key];
  return message;
}

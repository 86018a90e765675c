import type { JsonObject } from '@mizzen/xds';
import { utf8 } from '../../telemetry/grpc-log/text.ts';
import type { CollectedBody, ConnectionInfo, HttpStream, RequestHead } from '../../types.ts';

/** The part of a check that is the same for all requests of a filter. */
export interface CheckProgram {
  /** Which headers the service is shown. */
  readonly shows: (name: string) => boolean;
  readonly includePeerCertificate: boolean;
  readonly includeTlsSession: boolean;
  readonly packAsBytes: boolean;
  readonly encodeRawHeaders: boolean;
  readonly metadataNamespaces: readonly string[];
  readonly routeMetadataNamespaces: readonly string[];
}

const PARTIAL = 'x-envoy-auth-partial-body';

/** Header fields as a check shows them, pseudo headers first. */
function shownFields(
  request: RequestHead,
  shows: (name: string) => boolean,
  body: CollectedBody | undefined,
  limit: number,
): [string, string][] {
  const shown: [string, string][] = [];
  const put = (name: string, value: string): void => {
    if (name !== PARTIAL && (value !== '' || !name.startsWith(':')) && shows(name)) shown.push([name, value]);
  };
  put(':authority', request.authority);
  put(':path', request.path);
  put(':method', request.method);
  put(':scheme', request.scheme);
  const { flat } = request.headers;
  for (let i = 0; i < flat.length; i += 2) put(flat[i]!, flat[i + 1]!);
  if (body !== undefined) shown.push([PARTIAL, String(body.data.length > limit)]);
  return shown;
}

/** The same with repeated fields joined. */
export function shownHeaders(...of: Parameters<typeof shownFields>): Map<string, string> {
  const shown = new Map<string, string>();
  for (const [name, value] of shownFields(...of)) {
    const before = shown.get(name);
    shown.set(name, before === undefined ? value : `${before},${value}`);
  }
  return shown;
}

/** `envoy.service.auth.v3.CheckRequest` for an HTTP request. */
export function checkRequest(
  program: CheckProgram,
  stream: HttpStream,
  extensions: Readonly<Record<string, string>>,
  body: CollectedBody | undefined,
  limit: number,
  id: string,
): object {
  const { request, info } = stream;
  const { connection } = info;
  const data = body?.data.subarray(0, limit);
  const decision = stream.route();
  const routeMetadata = decision.kind === 'none' ? undefined : decision.route.metadata;
  const service = request.headers.get('x-envoy-downstream-service-cluster');
  return {
    attributes: {
      source: source(connection, service, program.includePeerCertificate),
      destination: destination(connection),
      request: {
        time: new Date(info.startWall).toISOString(),
        http: {
          id,
          method: request.method,
          path: utf8(request.path),
          host: utf8(request.authority),
          scheme: request.scheme,
          size: String(info.bytesReceived),
          protocol: info.protocol,
          ...(program.encodeRawHeaders
            ? {
                headerMap: {
                  headers: shownFields(request, program.shows, body, limit).map(([key, value]) => ({
                    key,
                    rawValue: Buffer.from(value, 'latin1').toString('base64'),
                  })),
                },
              }
            : {
                headers: Object.fromEntries(
                  [...shownHeaders(request, program.shows, body, limit)].map(([key, value]) => [key, utf8(value)]),
                ),
              }),
          ...(data === undefined || data.length === 0
            ? {}
            : program.packAsBytes
              ? { rawBody: data.toString('base64') }
              : { body: utf8(data.toString('latin1')) }),
        },
      },
      contextExtensions: extensions,
      metadataContext: { filterMetadata: pick(info.dynamicMetadata, program.metadataNamespaces) },
      routeMetadataContext: { filterMetadata: pick(routeMetadata, program.routeMetadataNamespaces) },
      ...(program.includeTlsSession ? tlsSession(connection) : {}),
    },
  };
}

/** The same for a connection. */
export function checkConnection(
  connection: ConnectionInfo,
  program: { readonly includePeerCertificate: boolean; readonly includeTlsSession: boolean },
  metadata: JsonObject,
): object {
  return {
    attributes: {
      source: source(connection, undefined, program.includePeerCertificate),
      destination: destination(connection),
      metadataContext: { filterMetadata: metadata },
      ...(program.includeTlsSession ? tlsSession(connection) : {}),
    },
  };
}

export function pick(
  from: Readonly<Record<string, JsonObject>> | undefined,
  namespaces: readonly string[],
): Record<string, JsonObject> {
  const picked: Record<string, JsonObject> = {};
  for (const name of namespaces) if (from?.[name] !== undefined) picked[name] = from[name];
  return picked;
}

function source(connection: ConnectionInfo, service: string | undefined, certificate: boolean): object {
  const { tls } = connection;
  return {
    address: { socketAddress: { address: connection.directRemoteAddress, portValue: connection.remotePort } },
    ...(service === undefined ? {} : { service }),
    ...(tls === undefined ? {} : { principal: tls.uriSans[0] ?? tls.dnsSans[0] ?? tls.subject }),
    ...(certificate && tls !== undefined ? { certificate: encodeURIComponent(tls.peerCertificatePem()) } : {}),
  };
}

function destination(connection: ConnectionInfo): object {
  const { tls } = connection;
  return {
    address: { socketAddress: { address: connection.localAddress, portValue: connection.localPort } },
    ...(tls === undefined ? {} : { principal: tls.localUriSan }),
  };
}

function tlsSession({ tls }: ConnectionInfo): object {
  return { tlsSession: (tls?.serverName ?? '') === '' ? {} : { sni: tls?.serverName } };
}

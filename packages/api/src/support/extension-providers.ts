import type {
  MeshConfig_ExtensionProvider,
  MeshConfig_ExtensionProvider_EnvoyExternalAuthorizationGrpcProvider,
  MeshConfig_ExtensionProvider_EnvoyExternalAuthorizationHttpProvider,
  MeshConfig_ExtensionProvider_EnvoyExternalAuthorizationRequestBody,
  MeshConfig_ExtensionProvider_EnvoyFileAccessLogProvider,
  MeshConfig_ExtensionProvider_EnvoyFileAccessLogProvider_LogFormat,
  MeshConfig_ExtensionProvider_EnvoyHttpGrpcV3LogProvider,
  MeshConfig_ExtensionProvider_EnvoyOpenTelemetryLogProvider,
  MeshConfig_ExtensionProvider_EnvoyOpenTelemetryLogProvider_LogFormat,
  MeshConfig_ExtensionProvider_EnvoyTcpGrpcV3LogProvider,
  MeshConfig_ExtensionProvider_SDSProvider,
} from '../gen/istio.mesh.v1alpha1.ts';
import { NO_SPANS } from './telemetry.ts';
import { tracingProviders } from './tracing-providers.ts';
import { byEngine, envoyFields, fields, left, moot, yes } from './types.ts';
import type { MessageTable, Outcome } from './types.ts';

const PROVIDER = 'istio.mesh.v1alpha1.MeshConfig.ExtensionProvider';
const LOG = 'CommonGrpcAccessLogConfig';
const HTTP_LOG = 'HttpGrpcAccessLogConfig';
const AUTHZ = 'envoy.extensions.filters.http.ext_authz.v3.ExtAuthz';
const AUTHZ_HTTP = 'envoy.extensions.filters.http.ext_authz.v3.HttpService';
const ANSWER = 'envoy.extensions.filters.http.ext_authz.v3.AuthorizationResponse';

const NO_GRPC_AUTHORIZER = left(
  'it is asked over gRPC, which does not get through to a service behind another of these proxies; requests are then denied',
  'use `envoyExtAuthzHttp`, or `--engine envoy`',
);
const NO_SDS = left('secrets come from the Secrets among the files', 'put the certificate in a Secret');
const UNKNOWN_TRACER = left('no spans are sent there', 'use `opentelemetry` or `zipkin`');

const SERVICE: Outcome = yes('the service, as `host` or `namespace/host`', 'EnvoyGrpc.clusterName');
const PORT: Outcome = yes('its port', 'EnvoyGrpc.clusterName');
const LOG_NAME: Outcome = yes('what the log is called there', `${LOG}.logName`);
const FILTER_STATE: Outcome = yes('objects of the filter state that are logged', `${LOG}.filterStateObjectsToLog`);

export const extensionProviders: MessageTable = {
  [PROVIDER]: fields<MeshConfig_ExtensionProvider>({
    name: yes('what policies and `defaultProviders` call it'),
    envoyExtAuthzHttp: yes('asked for CUSTOM policies', `${AUTHZ}.httpService`),
    envoyExtAuthzGrpc: byEngine(NO_GRPC_AUTHORIZER, yes('asked for CUSTOM policies', `${AUTHZ}.grpcService`)),
    zipkin: yes('spans go there', 'ZipkinConfig.collectorService'),
    lightstep: byEngine(NO_SPANS, UNKNOWN_TRACER),
    datadog: yes('spans go there', 'DatadogConfig.collectorCluster'),
    opencensus: byEngine(NO_SPANS, UNKNOWN_TRACER),
    skywalking: byEngine(NO_SPANS, yes('spans go there', 'SkyWalkingConfig.grpcService')),
    opentelemetry: yes('spans go there', 'OpenTelemetryConfig.grpcService', 'OpenTelemetryConfig.httpService'),
    stackdriver: left('nothing is exported there'),
    prometheus: yes("keeps Istio's metrics"),
    envoyFileAccessLog: yes('a file that access logs go to', 'FileAccessLog.path'),
    envoyHttpAls: yes('access logs go there', `${HTTP_LOG}.commonConfig`),
    envoyTcpAls: yes('access logs go there', 'TcpGrpcAccessLogConfig.commonConfig'),
    envoyOtelAls: yes('access logs go there', 'OpenTelemetryAccessLogConfig.commonConfig'),
    sds: byEngine(NO_SDS, yes('asked for the secrets that are called `sds://NAME`', 'SdsSecretConfig.sdsConfig')),
  }),
  [`${PROVIDER}.EnvoyFileAccessLogProvider`]: fields<MeshConfig_ExtensionProvider_EnvoyFileAccessLogProvider>({
    path: yes("`/dev/stdout` is the sidecar's own log, which `mizzen logs` shows", 'FileAccessLog.path'),
    logFormat: yes("Istio's own when left out", 'FileAccessLog.logFormat'),
    omitEmptyValues: yes('leaves out what is not there', 'SubstitutionFormatString.omitEmptyValues'),
  }),
  [`${PROVIDER}.EnvoyFileAccessLogProvider.LogFormat`]:
    fields<MeshConfig_ExtensionProvider_EnvoyFileAccessLogProvider_LogFormat>({
      text: yes('a line', 'SubstitutionFormatString.textFormatSource'),
      labels: yes('a JSON object', 'SubstitutionFormatString.jsonFormat'),
    }),
  [`${PROVIDER}.EnvoyHttpGrpcV3LogProvider`]: fields<MeshConfig_ExtensionProvider_EnvoyHttpGrpcV3LogProvider>({
    service: SERVICE,
    port: PORT,
    logName: LOG_NAME,
    filterStateObjectsToLog: FILTER_STATE,
    additionalRequestHeadersToLog: yes('these headers, too', `${HTTP_LOG}.additionalRequestHeadersToLog`),
    additionalResponseHeadersToLog: yes('these headers, too', `${HTTP_LOG}.additionalResponseHeadersToLog`),
    additionalResponseTrailersToLog: yes('these trailers, too', `${HTTP_LOG}.additionalResponseTrailersToLog`),
  }),
  [`${PROVIDER}.EnvoyTcpGrpcV3LogProvider`]: fields<MeshConfig_ExtensionProvider_EnvoyTcpGrpcV3LogProvider>({
    service: SERVICE,
    port: PORT,
    logName: LOG_NAME,
    filterStateObjectsToLog: FILTER_STATE,
  }),
  [`${PROVIDER}.EnvoyOpenTelemetryLogProvider`]: fields<MeshConfig_ExtensionProvider_EnvoyOpenTelemetryLogProvider>({
    service: SERVICE,
    port: PORT,
    logName: LOG_NAME,
    logFormat: yes("Istio's own when left out", 'OpenTelemetryAccessLogConfig.body'),
  }),
  [`${PROVIDER}.EnvoyOpenTelemetryLogProvider.LogFormat`]:
    fields<MeshConfig_ExtensionProvider_EnvoyOpenTelemetryLogProvider_LogFormat>({
      text: yes('the body', 'OpenTelemetryAccessLogConfig.body'),
      labels: yes('attributes', 'OpenTelemetryAccessLogConfig.attributes'),
    }),
  [`${PROVIDER}.EnvoyExternalAuthorizationGrpcProvider`]:
    envoyFields<MeshConfig_ExtensionProvider_EnvoyExternalAuthorizationGrpcProvider>(NO_GRPC_AUTHORIZER, {
      service: SERVICE,
      port: PORT,
      timeout: yes('time for the answer', 'GrpcService.timeout'),
      failOpen: yes('requests pass when it cannot be asked', `${AUTHZ}.failureModeAllow`),
      clearRouteCache: yes('the route is looked up again', `${AUTHZ}.clearRouteCache`),
      statusOnError: yes('answer when it cannot be asked; 403 when left out', `${AUTHZ}.statusOnError`),
      includeRequestBodyInCheck: yes('it gets the body, too', `${AUTHZ}.withRequestBody`),
    }),
  [`${PROVIDER}.EnvoyExternalAuthorizationHttpProvider`]:
    fields<MeshConfig_ExtensionProvider_EnvoyExternalAuthorizationHttpProvider>({
      service: yes('the service, as `host` or `namespace/host`', 'HttpUri.cluster'),
      port: yes('its port', 'HttpUri.cluster'),
      timeout: yes('time for the answer', 'HttpUri.timeout'),
      pathPrefix: yes('stands before the path', `${AUTHZ_HTTP}.pathPrefix`),
      failOpen: yes('requests pass when it cannot be asked', `${AUTHZ}.failureModeAllow`),
      clearRouteCache: yes('the route is looked up again', `${AUTHZ}.clearRouteCache`),
      statusOnError: yes('answer when it cannot be asked; 403 when left out', `${AUTHZ}.statusOnError`),
      includeHeadersInCheck: yes('deprecated form of includeRequestHeadersInCheck', `${AUTHZ}.allowedHeaders`),
      includeRequestHeadersInCheck: yes('headers it gets', `${AUTHZ}.allowedHeaders`),
      includeAdditionalHeadersInCheck: yes('more headers it gets', 'AuthorizationRequest.headersToAdd'),
      includeRequestBodyInCheck: yes('it gets the body, too', `${AUTHZ}.withRequestBody`),
      headersToUpstreamOnAllow: yes('of its answer, for the application', `${ANSWER}.allowedUpstreamHeaders`),
      headersToDownstreamOnDeny: yes('of its answer, for the client', `${ANSWER}.allowedClientHeaders`),
      headersToDownstreamOnAllow: yes('of its answer, for the client', `${ANSWER}.allowedClientHeadersOnSuccess`),
    }),
  [`${PROVIDER}.EnvoyExternalAuthorizationRequestBody`]:
    fields<MeshConfig_ExtensionProvider_EnvoyExternalAuthorizationRequestBody>({
      maxRequestBytes: yes('longer bodies are refused, or cut', 'BufferSettings.maxRequestBytes'),
      allowPartialMessage: yes('longer bodies are cut', 'BufferSettings.allowPartialMessage'),
      packAsBytes: yes('as bytes rather than text', 'BufferSettings.packAsBytes'),
    }),
  [`${PROVIDER}.SDSProvider`]: envoyFields<MeshConfig_ExtensionProvider_SDSProvider>(NO_SDS, {
    name: moot('the first provider that there is counts'),
    service: SERVICE,
    port: PORT,
  }),
  ...tracingProviders,
};

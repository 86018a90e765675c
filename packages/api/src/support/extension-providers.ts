import type {
  MeshConfig_ExtensionProvider,
  MeshConfig_ExtensionProvider_EnvoyFileAccessLogProvider,
  MeshConfig_ExtensionProvider_EnvoyFileAccessLogProvider_LogFormat,
} from '../gen/istio.mesh.v1alpha1.ts';
import { NO_SPANS } from './telemetry.ts';
import { exceptText, fields, left, moot, refused, yes } from './types.ts';
import type { MessageTable } from './types.ts';

const PROVIDER = 'istio.mesh.v1alpha1.MeshConfig.ExtensionProvider';
const AUTHORIZER = left(
  'no external authorizer is asked; policies with action CUSTOM say so',
  'use ALLOW and DENY rules',
);
const LOG_SERVICE = left('access logs are written to files', 'use an `envoyFileAccessLog`');

/** Texts with operators that Envoy has as extensions. */
export const LOG_OPERATORS = refused(
  "Mizzen's proxy does not know `%REQ_WITHOUT_QUERY%`, `%METADATA%` and `%CEL%` and refuses the listeners",
  'leave these operators out',
  'SubstitutionFormatString.formatters',
);
export const EXTENSION_OPERATOR = /%(?:REQ_WITHOUT_QUERY|METADATA|CEL)\(/;

export const extensionProviders: MessageTable = {
  [PROVIDER]: fields<MeshConfig_ExtensionProvider>({
    name: yes('what policies and `defaultProviders` call it'),
    envoyExtAuthzHttp: AUTHORIZER,
    envoyExtAuthzGrpc: AUTHORIZER,
    zipkin: NO_SPANS,
    lightstep: NO_SPANS,
    datadog: NO_SPANS,
    opencensus: NO_SPANS,
    skywalking: NO_SPANS,
    opentelemetry: NO_SPANS,
    stackdriver: left('nothing is exported there'),
    prometheus: moot('each proxy serves its own metrics'),
    envoyFileAccessLog: yes('a file that access logs go to', 'FileAccessLog.path'),
    envoyHttpAls: LOG_SERVICE,
    envoyTcpAls: LOG_SERVICE,
    envoyOtelAls: LOG_SERVICE,
    sds: left('secrets come from the Secrets among the files', 'put the certificate in a Secret'),
  }),
  [`${PROVIDER}.EnvoyFileAccessLogProvider`]: fields<MeshConfig_ExtensionProvider_EnvoyFileAccessLogProvider>({
    path: yes("`/dev/stdout` is the sidecar's own log, which `mizzen logs` shows", 'FileAccessLog.path'),
    logFormat: yes("Istio's own when left out", 'FileAccessLog.logFormat'),
    omitEmptyValues: yes('leaves out what is not there', 'SubstitutionFormatString.omitEmptyValues'),
  }),
  [`${PROVIDER}.EnvoyFileAccessLogProvider.LogFormat`]:
    fields<MeshConfig_ExtensionProvider_EnvoyFileAccessLogProvider_LogFormat>({
      text: exceptText(
        yes('a line', 'SubstitutionFormatString.textFormatSource'),
        'with extension operators',
        EXTENSION_OPERATOR,
        LOG_OPERATORS,
      ),
      labels: yes('a JSON object', 'SubstitutionFormatString.jsonFormat'),
    }),
};

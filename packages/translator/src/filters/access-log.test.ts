import type { types } from '@mizzen/xds';
import { describe, expect, it } from 'vitest';
import { buildOf, modelOf, sidecar } from '../testing/fixture.ts';
import { accessLogs, listenerAccessLogs } from './access-log.ts';
import { DEFAULT_JSON_FORMAT, DEFAULT_TEXT_FORMAT } from './access-log-format.ts';

const telemetry = (name: string, namespace: string, spec: string): string => `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: ${name}, namespace: ${namespace}}
spec:
${spec}
---`;

const build = (mesh: object, yaml = '') => buildOf(modelOf(yaml, { mesh }), sidecar());
const format = (log: types.accesslog.AccessLog | undefined) =>
  (log?.typedConfig as { readonly logFormat?: types.core.SubstitutionFormatString } | undefined)?.logFormat;

describe('accessLogs', () => {
  it('writes none unless asked to', () => {
    expect(accessLogs(build({}), 'inbound', 'http')).toBeUndefined();
  });

  it("writes Istio's line to MeshConfig's file", () => {
    const [log] = accessLogs(build({ accessLogFile: '/dev/stdout' }), 'inbound', 'http') ?? [];
    expect(log?.typedConfig).toMatchObject({ path: '/dev/stdout' });
    expect(format(log)).toEqual({ textFormatSource: { inlineString: DEFAULT_TEXT_FORMAT } });
  });

  it("writes Istio's object when it is to be JSON", () => {
    const [log] = accessLogs(build({ accessLogFile: '/tmp/log', accessLogEncoding: 'JSON' }), 'outbound', 'http') ?? [];
    expect(format(log)).toEqual({ jsonFormat: DEFAULT_JSON_FORMAT, jsonFormatOptions: {} });
  });

  it('ends a line of its own with a line end, and names the formatter it needs', () => {
    const mesh = { accessLogFile: '/dev/stdout', accessLogFormat: '%REQ_WITHOUT_QUERY(:PATH)%' };
    expect(format(accessLogs(build(mesh), 'inbound', 'http')?.[0])).toEqual({
      textFormatSource: { inlineString: '%REQ_WITHOUT_QUERY(:PATH)%\n' },
      formatters: [
        {
          name: 'envoy.formatter.req_without_query',
          typedConfig: {
            '@type': 'type.googleapis.com/envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery',
          },
        },
      ],
    });
  });

  it('logs at the listener only what no chain took', () => {
    const [log] = listenerAccessLogs(build({ accessLogFile: '/dev/stdout' }), 'inbound') ?? [];
    expect(log?.filter).toEqual({ responseFlagFilter: { flags: ['NR'] } });
  });

  it('lets a namespace switch off what the mesh switched on', () => {
    const yaml =
      telemetry('mesh', 'istio-system', '  accessLogging: [{providers: [{name: envoy}]}]') +
      telemetry('quiet', 'default', '  accessLogging: [{disabled: true}]');
    expect(accessLogs(build({}, yaml), 'inbound', 'http')).toBeUndefined();
    expect(
      accessLogs(
        build({}, telemetry('mesh', 'istio-system', '  accessLogging: [{providers: [{name: envoy}]}]')),
        'inbound',
        'http',
      ),
    ).toHaveLength(1);
  });

  it('logs one direction only, where the condition holds', () => {
    const yaml = telemetry(
      'errors',
      'default',
      '  accessLogging: [{match: {mode: SERVER}, filter: {expression: "response.code >= 500"}, providers: [{name: envoy}]}]',
    );
    expect(accessLogs(build({}, yaml), 'outbound', 'http')).toBeUndefined();
    expect(accessLogs(build({}, yaml), 'inbound', 'http')?.[0]?.filter).toMatchObject({
      extensionFilter: { typedConfig: { expression: 'response.code >= 500' } },
    });
  });

  it('prefers the Telemetry resource that selects the workload', () => {
    const mesh = {
      extensionProviders: [
        { name: 'file', envoyFileAccessLog: { path: '/tmp/own', logFormat: { labels: { code: '%RESPONSE_CODE%' } } } },
      ],
    };
    const yaml =
      telemetry('wide', 'default', '  accessLogging: [{providers: [{name: envoy}]}]') +
      telemetry(
        'own',
        'default',
        '  selector: {matchLabels: {app: web}}\n  accessLogging: [{providers: [{name: file}]}]',
      );
    const logs = accessLogs(build(mesh, yaml), 'inbound', 'http') ?? [];
    expect(logs.map((log) => log.typedConfig)).toMatchObject([
      { path: '/tmp/own', logFormat: { jsonFormat: { code: '%RESPONSE_CODE%' } } },
    ]);
  });

  it("sends them to services from Mizzen's own proxy, too", () => {
    const at = { service: 'logs.default.svc.cluster.local', port: 9000 };
    const mesh = {
      extensionProviders: [
        { name: 'http', envoyHttpAls: { ...at, additionalRequestHeadersToLog: ['x-a'] } },
        { name: 'otel', envoyOtelAls: at },
        { name: 'tcp', envoyTcpAls: at },
      ],
      defaultProviders: { accessLogging: ['http', 'otel', 'tcp'] },
    };
    const yaml = `
apiVersion: v1
kind: Service
metadata: {name: logs, namespace: default}
spec: {ports: [{name: grpc, port: 9000}]}
---`;
    const own = buildOf(modelOf(yaml, { mesh }), sidecar({ MIZZEN: {} }));
    const cluster = 'outbound|9000||logs.default.svc.cluster.local';
    expect((accessLogs(own, 'inbound', 'http') ?? []).map((log) => log.typedConfig)).toMatchObject([
      {
        commonConfig: { logName: 'http_envoy_accesslog', grpcService: { envoyGrpc: { clusterName: cluster } } },
        additionalRequestHeadersToLog: ['x-a'],
      },
      {
        commonConfig: { logName: 'otel_envoy_accesslog', grpcService: { envoyGrpc: { clusterName: cluster } } },
        disableBuiltinLabels: true,
        body: { stringValue: expect.stringContaining('%RESPONSE_CODE%') },
      },
      { commonConfig: { logName: 'tcp_envoy_accesslog', grpcService: { envoyGrpc: { clusterName: cluster } } } },
    ]);
  });
});

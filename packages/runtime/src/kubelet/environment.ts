import { hostname } from 'node:os';
import type { DesiredContainer, DesiredWorkload } from '../protocol.ts';
import { expand } from './expand.ts';
import type { PodLayout } from './layout.ts';
import { envName } from './names.ts';

export interface PodIdentity {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
}

/**
 * What an application's environment holds, over what it inherits from `mizzen up`: the services' variables, the ports it
 * must listen on, the container's own variables in their order (with `$(VAR)` expanded and addresses of services that
 * are not HTTP replaced by the sidecar's listeners for them), and the way to the sidecar's HTTP proxy.
 */
export function buildEnvironment(
  workload: DesiredWorkload,
  container: DesiredContainer,
  layout: PodLayout,
  pod: PodIdentity,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(workload.serviceEnvironment)) {
    env[name] = serviceVariable(name, value, workload, layout);
  }
  const ports = portVariables(container, layout);
  Object.assign(env, ports, proxyVariables(layout));
  for (const { name, value } of container.env) {
    if (typeof value !== 'string') env[name] = fieldValue(value.field, pod, layout, workload);
    else
      env[name] = rewriteDestinations(
        expand(value, (known) => env[known]),
        workload,
        layout,
      );
    // `PORT: "8080"` in a manifest means the container port, which here is the sidecar's.
    if (name === 'PORT') env[name] = mappedPort(env[name], layout) ?? ports.PORT ?? env[name];
  }
  return env;
}

function portVariables(container: DesiredContainer, layout: PodLayout): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { name, port } of container.ports) {
    const local = String(layout.applicationPorts[port] ?? port);
    env.PORT ??= local;
    if (name !== undefined) env[`PORT_${envName(name)}`] = local;
  }
  return env;
}

function mappedPort(value: string, layout: PodLayout): string | undefined {
  const port = layout.applicationPorts[Number(value)];
  return port === undefined ? undefined : String(port);
}

function proxyVariables({ proxy }: PodLayout): Record<string, string> {
  if (proxy?.httpProxy === undefined) return {};
  const url = `http://${proxy.httpProxy.address}:${proxy.httpProxy.port}`;
  return {
    http_proxy: url,
    HTTP_PROXY: url,
    NODE_USE_ENV_PROXY: '1',
    no_proxy: '127.0.0.1,localhost',
    NO_PROXY: '127.0.0.1,localhost',
  };
}

/** `host:port` → the sidecar's listener for it, wherever it stands on its own within the value. */
function rewriteDestinations(value: string, workload: DesiredWorkload, layout: PodLayout): string {
  let result = value;
  for (const { host, port, service } of workload.tcpDestinations) {
    const listener = outboundFor(layout, service, port);
    if (listener === undefined) continue;
    const pattern = new RegExp(`(?<![\\w.-])${RegExp.escape(`${host}:${port}`)}(?!\\d)`, 'g');
    result = result.replaceAll(pattern, `${listener.address}:${listener.port}`);
  }
  return result;
}

function outboundFor(layout: PodLayout, service: string, port: number): { address: string; port: number } | undefined {
  return layout.proxy?.outbound?.find((o) => o.host === service && o.servicePort === port);
}

/**
 * Kubernetes' service variables hold a cluster address. Here HTTP services are reached by name through the proxy, so the
 * name stays; for services with a listener of their own, address and port are the listener's.
 */
function serviceVariable(name: string, value: string, workload: DesiredWorkload, layout: PodLayout): string {
  const prefix = /^(.*?)_(?:SERVICE_(?:HOST|PORT(?:_.*)?)|PORT(?:_.*)?)$/.exec(name)?.[1];
  const host = prefix === undefined ? undefined : workload.serviceEnvironment[`${prefix}_SERVICE_HOST`];
  const listener = layout.proxy?.outbound?.find(
    (o) => o.host === host && (!/^\d+$/.test(value) || o.servicePort === Number(value)),
  );
  if (listener === undefined) return value;
  if (value === host) return listener.address;
  if (/^\d+$/.test(value)) return String(listener.port);
  return rewriteUrl(value, listener);
}

/** `tcp://HOST:PORT`, the form of Docker's link variables. */
function rewriteUrl(
  value: string,
  listener: { host: string; servicePort: number; address: string; port: number },
): string {
  return value.replace(`${listener.host}:${listener.servicePort}`, `${listener.address}:${listener.port}`);
}

function fieldValue(field: string, pod: PodIdentity, layout: PodLayout, workload: DesiredWorkload): string {
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(field);
  if (keyed !== null) return (keyed[1] === 'labels' ? workload.labels : workload.annotations)[keyed[2]!] ?? '';
  switch (field) {
    case 'metadata.name':
      return pod.name;
    case 'metadata.namespace':
      return pod.namespace;
    case 'metadata.uid':
      return pod.uid;
    case 'spec.nodeName':
      return hostname();
    case 'spec.serviceAccountName':
      return workload.serviceAccount;
    case 'status.podIP':
    case 'status.podIPs':
      return layout.address;
    case 'status.hostIP':
    case 'status.hostIPs':
      return '127.0.0.1';
    default:
      return '';
  }
}

const DROPPED = /^(npm_|MIZZEN_|NODE_CHANNEL_|PORT$|INIT_CWD$)/;

/** What of the environment `mizzen up` was started in reaches applications: all but what describes Mizzen itself. */
export function inherited(env: NodeJS.ProcessEnv): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !DROPPED.test(name)) result[name] = value;
  }
  return result;
}

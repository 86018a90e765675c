import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isLoopback, type Protocol, type Via } from '@mizzen/load';
import type { ConfigStatusAnswer, ServicesAnswer, WorkloadsAnswer } from '@mizzen/runtime/api/types.ts';
import { ApiError } from '@mizzen/runtime/supervisor/api-client.ts';
import { type Invocation, text, UsageError } from '../command.ts';
import { client, findWorkload } from '../running.ts';

type Values = Invocation['values'];

export interface Sender {
  readonly name: string;
  readonly via: Via;
  readonly inMesh: (host: string, port: number) => boolean;
  /** Why its sidecar cannot carry this; undefined: it can. */
  readonly refuses: (protocol: Protocol, url: string) => string | undefined;
}

/** Of these a sidecar passes bytes on, whatever they are. */
const BYTES = new Set(['tcp', 'tls', 'https', 'mongo', 'mysql', 'redis']);

/** The workload of `--from`. */
export async function senderOf(values: Values): Promise<Sender | undefined> {
  const from = text(values, 'from');
  if (from === undefined) return undefined;
  const api = client(values);
  const { workload, pod } = await findWorkload(api, from, text(values, 'namespace'));
  const sender = pod ?? workload.pods.find((each) => each.httpProxy !== '' && each.ready) ?? workload.pods[0];
  if (sender === undefined || sender.httpProxy === '') {
    throw new ApiError('no-sidecar', `\`${from}\` has no sidecar to send through`);
  }
  const { services } = await api.get<ServicesAnswer>('/api/services');
  const hosts = hostsOf(services, workload.namespace);
  return {
    name: `${workload.name}.${workload.namespace}`,
    via: { kind: 'sidecar', ...addressOf(sender.httpProxy) },
    inMesh: (host, port) => hosts.has(`${host}:${port}`),
    refuses: (protocol, url) => (workload.engine === 'mizzen' ? refusal(from, hosts, protocol, url) : undefined),
  };
}

/** Mizzen's own proxy speaks HTTP/1.1. */
function refusal(
  from: string,
  hosts: ReadonlyMap<string, string>,
  protocol: Protocol,
  written: string,
): string | undefined {
  const url = URL.parse(written);
  if (protocol === 'http1' || url?.protocol !== 'http:') return undefined;
  const known = hosts.get(`${url.hostname}:${url.port || 80}`);
  if (known === undefined || BYTES.has(known.toLowerCase())) return undefined;
  const name = protocol === 'grpc' ? 'gRPC' : 'HTTP/2';
  return `${name} to ${url.host} cannot go through the sidecar of \`${from}\`: it is Mizzen’s own engine, which takes HTTP/1.1`;
}

/** `HOST:PORT` of services that run here, by every name a workload of a namespace may call them, with the protocol. */
export function hostsOf(services: ServicesAnswer['services'], namespace: string): ReadonlyMap<string, string> {
  const hosts = new Map<string, string>();
  for (const { hostname, namespace: of, registry, ports, endpoints } of services) {
    const local = registry === 'Kubernetes' || endpoints.every(({ address }) => isLoopback(address));
    if (!local || (registry !== 'Kubernetes' && endpoints.length === 0)) continue;
    const names = [hostname];
    const suffix = `.${of}.svc.`;
    if (registry === 'Kubernetes' && hostname.includes(suffix)) {
      const short = hostname.slice(0, hostname.indexOf(suffix));
      names.push(`${short}.${of}`, `${short}.${of}.svc`);
      if (of === namespace) names.push(short);
    }
    for (const { port, protocol } of ports) for (const name of names) hosts.set(`${name}:${port}`, protocol);
  }
  return hosts;
}

/** Where a gateway listens: its port for plain HTTP, or the one that is written after its name. */
export async function gatewayOf(values: Values, given: string): Promise<Via> {
  const [, name = given, wanted] = /^(.*?)(?::(\d+))?$/.exec(given) ?? [];
  const { workload, pod } = await findWorkload(client(values), name, text(values, 'namespace'));
  const ports = (pod ?? workload.pods.find(({ ready }) => ready) ?? workload.pods[0])?.gatewayPorts ?? {};
  const port = wanted ?? firstPort(ports);
  const address = port === undefined ? undefined : ports[port];
  if (address === undefined) {
    const known = Object.keys(ports).join(', ');
    throw new UsageError(
      wanted === undefined ? `\`${name}\` has no gateway ports` : `\`${name}\` has no port ${wanted}`,
      known === '' ? undefined : `there is ${known}`,
    );
  }
  return { kind: 'gateway', ...addressOf(address) };
}

/** What a running mesh offers when nothing else is said; each is undefined where none runs. */
export function meshOf(values: Values): {
  /** A `load.yaml` here, or beside the files of the mesh. */
  loadFile(): Promise<string | undefined>;
  gatewayUrl(): Promise<string | undefined>;
} {
  return {
    async loadFile() {
      if (existsSync('load.yaml')) return 'load.yaml';
      const config = await running(() => client(values).get<ConfigStatusAnswer>('/api/config/status'));
      const places = (config?.paths ?? []).map((path) => resolve(config!.directory, path));
      return places
        .map((path) => join(existsSync(path) && statSync(path).isDirectory() ? path : dirname(path), 'load.yaml'))
        .find((file) => existsSync(file));
    },
    async gatewayUrl() {
      const answer = await running(() => client(values).get<WorkloadsAnswer>('/api/workloads'));
      for (const { pods } of answer?.workloads ?? []) {
        for (const { gatewayPorts } of pods) {
          const port = firstPort(gatewayPorts);
          if (port !== undefined) return `http://${gatewayPorts[port]}`;
        }
      }
      return undefined;
    },
  };
}

/** 80 where there is one, never one for TLS when there is another. */
function firstPort(ports: Readonly<Record<string, string>>): string | undefined {
  const all = Object.keys(ports);
  return all.find((each) => each === '80') ?? all.find((each) => !each.endsWith('443')) ?? all[0];
}

function addressOf(written: string): { host: string; port: number } {
  const { hostname, port } = new URL(`http://${written}`);
  return { host: hostname, port: Number(port) || 80 };
}

async function running<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

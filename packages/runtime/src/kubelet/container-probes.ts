import type { k8s } from '@mizzen/api';
import type { Clock } from './clock.ts';
import type { ContainerSpec } from './container.ts';
import { type Launch, runToEnd } from './launch.ts';
import { type ProbeResult, probeGrpc, probeHttp, probeTcp } from './probe.ts';
import { probePort } from './probe-target.ts';
import { type Thresholds, thresholds } from './prober.ts';

type Check = () => Promise<ProbeResult>;

const OK: ProbeResult = { ok: true };

/** How long a program without a readiness probe may take to listen before it counts as ready all the same. */
const PATIENCE_MS = 10_000;

/** A probe goes to the application itself, past its sidecar, as the kubelet's probes that Istio rewrites do. */
export function probeCheck(probe: k8s.Probe, timeoutMs: number, spec: ContainerSpec, launch: Launch): Check {
  const { container, env } = spec;
  const { run } = container;
  if (probe.exec !== undefined) {
    const command = probe.exec.command ?? [];
    // There is nothing to execute in: what a stand-in or somebody's debugger runs is not the container's image.
    if (run.kind !== 'command') return () => Promise.resolve(OK);
    return async () => {
      const result = await runToEnd(launch, { command, dir: run.dir, env: env() }, timeoutMs);
      return result.ok ? OK : { ok: false, reason: `\`${command.join(' ')}\` ${result.reason}` };
    };
  }
  const port = probePort(probe, container);
  if (port === undefined) {
    const failed: ProbeResult = { ok: false, reason: 'the probe names a port that the container does not have' };
    return () => Promise.resolve(failed);
  }
  const target = { ...address(probe, port, spec), timeoutMs };
  if (probe.httpGet !== undefined) {
    const get = probe.httpGet;
    return () => probeHttp(get, target);
  }
  if (probe.grpc !== undefined) {
    const service = probe.grpc.service ?? '';
    return () => probeGrpc(service, target);
  }
  return () => probeTcp(target);
}

function address(probe: k8s.Probe, port: number, spec: ContainerSpec): { host: string; port: number } {
  const host = probe.httpGet?.host ?? probe.tcpSocket?.host;
  const own = host === undefined || host === '127.0.0.1' || host === 'localhost';
  return own ? { host: spec.applicationAddress, port: spec.applicationPorts[port] ?? port } : { host, port };
}

/**
 * Without a readiness probe Kubernetes takes a started process for ready. Here that would send it requests before it
 * listens, so one of its ports must accept first; a program that never listens is ready after a while, as there.
 * Undefined: nothing to check.
 */
export function implicitCheck(spec: ContainerSpec, clock: Clock): (Thresholds & { check: Check }) | undefined {
  const ports = spec.container.ports.map((p) => spec.applicationPorts[p.port] ?? p.port);
  const { kind } = spec.container.run;
  if (ports.length === 0 || kind === 'stand-in') return undefined;
  const limits = { ...thresholds({ periodSeconds: 1, failureThreshold: 1 }) };
  const host = spec.applicationAddress;
  const anyAccepts = async (): Promise<ProbeResult> => {
    const results = await Promise.all(ports.map((port) => probeTcp({ host, port, timeoutMs: limits.timeoutMs })));
    return results.find((r) => r.ok) ?? results[0] ?? OK;
  };
  if (kind === 'external') return { ...limits, check: anyAccepts };
  const since = clock.now();
  let settled = false;
  return {
    ...limits,
    // Once is enough: from then on the process itself is the sign, as in Kubernetes.
    check: async () => {
      if (settled || clock.now() - since > PATIENCE_MS) return OK;
      const result = await anyAccepts();
      settled = result.ok;
      return result;
    },
    periodMs: 60_000,
    failureThreshold: Number.MAX_SAFE_INTEGER,
  };
}

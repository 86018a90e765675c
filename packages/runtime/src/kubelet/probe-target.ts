import type { k8s } from '@mizzen/api';
import type { DesiredContainer } from '../protocol.ts';

/** A probe's port as a number; names are looked up among the container's ports. */
export function probePort(probe: k8s.Probe, container: DesiredContainer): number | undefined {
  const port = probe.httpGet?.port ?? probe.tcpSocket?.port ?? probe.grpc?.port;
  if (typeof port === 'number' || port === undefined) return port;
  if (/^\d+$/.test(port)) return Number(port);
  return container.ports.find((p) => p.name === port)?.port;
}

export function probePorts(container: DesiredContainer): number[] {
  return [container.startup, container.readiness, container.liveness]
    .map((probe) => (probe === undefined ? undefined : probePort(probe, container)))
    .filter((port) => port !== undefined);
}

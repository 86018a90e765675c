import { X509Certificate } from 'node:crypto';
import { type Clock, type Registry, WORKLOAD_SECRET } from '@mizzen/control-plane';

/** The certificate of a proxy that does not say itself how long it lasts. */
export interface ProxyCertificate {
  readonly namespace: string;
  readonly pod: string;
  readonly workload: string;
  /** PEM, the proxy's own first. */
  readonly chain: string;
}

/** Mizzen's own proxies say it themselves, and so do Istio's agents; an Envoy tells only days. */
export function addCertificateExpiry(
  registry: Registry,
  held: () => readonly ProxyCertificate[],
  clock: Pick<Clock, 'wall'>,
): void {
  /** By chain: when its certificate expires, in milliseconds since the epoch. */
  let ends = new Map<string, number>();
  const about = {
    name: 'istio_agent_cert_expiry_seconds',
    help: 'Seconds until the certificate of an Envoy expires.',
    labels: ['namespace', 'pod', 'workload', 'resource_name'],
  };
  registry.gauge(about, () => {
    const before = ends;
    ends = new Map();
    return held().map(({ namespace, pod, workload, chain }) => {
      const end = before.get(chain) ?? new X509Certificate(chain).validToDate.getTime();
      ends.set(chain, end);
      return [[namespace, pod, workload, WORKLOAD_SECRET], (end - clock.wall()) / 1000] as const;
    });
  });
}

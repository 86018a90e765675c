import { X509Certificate } from 'node:crypto';
import type { HeldCertificate } from '@mizzen/control-plane';
import type { PodStatus } from '../protocol.ts';
import type { CertificatesAnswer } from './types.ts';

/** What proxies were given, without their keys. */
export function certificatesAnswer(held: readonly HeldCertificate[], pods: readonly PodStatus[]): CertificatesAnswer {
  return {
    certificates: held.map(({ node, chain, rotateAt }) => {
      const pod = pods.find((each) => each.node === node);
      const certificate = chain === undefined ? undefined : new X509Certificate(chain);
      return {
        node,
        namespace: pod?.namespace ?? '',
        pod: pod?.name ?? '',
        workload: pod?.owner.name ?? '',
        identity: certificate?.subjectAltName?.replace(/^URI:/, '') ?? '',
        serial: certificate?.serialNumber ?? '',
        issuedAt: certificate?.validFromDate.toISOString() ?? '',
        expiresAt: certificate?.validToDate.toISOString() ?? '',
        rotatesAt: new Date(rotateAt).toISOString(),
      };
    }),
  };
}

import type { Path } from '@mizzen/diagnostics';
import type { ClientTLSSettings } from '../../gen/istio.networking.v1alpha3.ts';
import { CONFLICT, REQUIRED } from '../report.ts';
import type { Report } from '../report.ts';

/** TLS settings towards a destination. */
export function checkClientTls(report: Report, path: Path, tls: ClientTLSSettings | undefined): void {
  if (!tls) return;
  const simple = tls.mode === 'SIMPLE';
  const mutual = tls.mode === 'MUTUAL';
  if (tls.insecureSkipVerify && (simple || mutual)) {
    const fields = [
      'caCertificates',
      'caCertCredentialName',
      ...(simple ? (['credentialName'] as const) : []),
      'subjectAltNames',
    ] as const;
    const given = fields.find((field) => (tls[field]?.length ?? 0) > 0);
    if (given) {
      report.error(
        CONFLICT,
        [...path, given],
        `with \`insecureSkipVerify\` nothing is checked; \`${given}\` cannot be set`,
      );
    }
  }
  if (tls.mode === 'ISTIO_MUTUAL' && tls.caCertCredentialName) {
    const message = 'mode `ISTIO_MUTUAL` brings its own roots; `caCertCredentialName` cannot be set';
    report.error(CONFLICT, [...path, 'caCertCredentialName'], message);
  }
  if (tls.caCertificates && tls.caCertCredentialName) {
    const message = 'only one of `caCertificates` and `caCertCredentialName` can be set';
    report.error(CONFLICT, [...path, 'caCertCredentialName'], message);
  }
  if ((simple || mutual) && tls.credentialName) {
    const given = (['clientCertificate', 'caCertificates', 'privateKey', 'caCrl'] as const).find((field) => tls[field]);
    if (given) {
      report.error(
        CONFLICT,
        [...path, given],
        `the certificates come from \`credentialName\`; \`${given}\` cannot be set`,
      );
    }
    return;
  }
  if (!mutual) return;
  if (!tls.clientCertificate) report.error(REQUIRED, path, 'mode `MUTUAL` needs a `clientCertificate`');
  if (!tls.privateKey) report.error(REQUIRED, path, 'mode `MUTUAL` needs a `privateKey`');
}

import type { Path } from '@mizzen/diagnostics';
import type { ServerTLSSettings } from '../../gen/istio.networking.v1alpha3.ts';
import { CONFLICT, NOT_ALLOWED, NO_EFFECT, REQUIRED, SUSPICIOUS } from '../report.ts';
import type { Report } from '../report.ts';

const CIPHERS = new Set([
  ...['ECDHE-ECDSA', 'ECDHE-RSA'].flatMap((key) => [
    `${key}-AES128-GCM-SHA256`,
    `${key}-AES256-GCM-SHA384`,
    `${key}-CHACHA20-POLY1305`,
    `${key}-AES128-SHA`,
    `${key}-AES256-SHA`,
  ]),
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA',
  'AES256-SHA',
  'DES-CBC3-SHA',
]);

const MATERIAL = [
  'serverCertificate',
  'privateKey',
  'caCertificates',
  'tlsCertificates',
  'credentialName',
  'credentialNames',
] as const satisfies (keyof ServerTLSSettings)[];

/** TLS settings of a Gateway's server or a Sidecar's ingress listener. */
export function checkServerTls(report: Report, path: Path, tls: ServerTLSSettings | undefined): void {
  if (!tls) return;
  const mode = tls.mode ?? 'PASSTHROUGH';
  checkCiphers(report, path, tls);
  const given = MATERIAL.filter((field) => (tls[field]?.length ?? 0) > 0);
  if (mode === 'ISTIO_MUTUAL') {
    for (const field of given) {
      report.error(
        CONFLICT,
        [...path, field],
        `mode \`ISTIO_MUTUAL\` brings its own certificates; \`${field}\` cannot be set`,
      );
    }
    return;
  }
  if ((mode === 'PASSTHROUGH' || mode === 'AUTO_PASSTHROUGH') && (given.length > 0 || tls.caCrl)) {
    const field = given[0] ?? 'caCrl';
    report.warn(NO_EFFECT, [...path, field], `mode \`${mode}\` uses no certificates; \`${field}\` is ignored`);
  }
  checkSources(report, path, tls);
  if (mode !== 'SIMPLE' && mode !== 'MUTUAL' && mode !== 'OPTIONAL_MUTUAL') return;
  if (tls.credentialName || tls.credentialNames?.length) return;
  checkCertificates(report, path, tls, mode);
}

function checkSources(report: Report, path: Path, tls: ServerTLSSettings): void {
  const sources = [
    tls.serverCertificate && tls.privateKey && 'serverCertificate',
    tls.credentialName && 'credentialName',
    tls.credentialNames?.length && 'credentialNames',
    tls.tlsCertificates?.length && 'tlsCertificates',
  ].filter((source) => typeof source === 'string' && source !== '') as string[];
  if (sources.length > 1) {
    report.error(CONFLICT, [...path, sources[1] as string], `only one of \`${sources.join('` and `')}\` can be set`);
  }
  if (tls.caCrl && tls.credentialName) {
    report.error(
      CONFLICT,
      [...path, 'caCrl'],
      '`caCrl` cannot be set with `credentialName`',
      'put the list into the credential',
    );
  }
}

function checkCertificates(report: Report, path: Path, tls: ServerTLSSettings, mode: string): void {
  if (mode !== 'SIMPLE' && !tls.caCertificates) {
    report.error(REQUIRED, path, `mode \`${mode}\` needs \`caCertificates\` to check clients against`);
  }
  if (mode === 'SIMPLE' && tls.caCrl) {
    report.error(CONFLICT, [...path, 'caCrl'], 'mode `SIMPLE` checks no clients; `caCrl` cannot be set');
  }
  const list = tls.tlsCertificates?.length ? tls.tlsCertificates : undefined;
  if (list && list.length > 2) report.warn(NO_EFFECT, [...path, 'tlsCertificates'], 'at most 2 certificates are used');
  (list ?? [tls]).forEach((certificate, index) => {
    const at = list ? [...path, 'tlsCertificates', index] : path;
    if (!certificate.serverCertificate) report.error(REQUIRED, at, `mode \`${mode}\` needs a \`serverCertificate\``);
    if (!certificate.privateKey) report.error(REQUIRED, at, `mode \`${mode}\` needs a \`privateKey\``);
  });
}

/** What starts with an operator (`-`, `+`, `!`) is an expression, of which Envoy knows more. */
function isCipher(cipher: string): boolean {
  return cipher === '' || cipher === 'ALL' || !/^[\p{L}\p{N}]/u.test(cipher) || CIPHERS.has(cipher);
}

/** The ciphers that count: known ones, each once. */
export function knownCiphers(ciphers: readonly string[] | undefined): readonly string[] {
  return [...new Set(ciphers ?? [])].filter((cipher) => isCipher(cipher));
}

function checkCiphers(report: Report, path: Path, tls: ServerTLSSettings): void {
  const seen = new Set<string>();
  tls.cipherSuites?.forEach((cipher, index) => {
    const at = [...path, 'cipherSuites', index];
    if (!isCipher(cipher)) {
      report.warn(NO_EFFECT, at, `\`${cipher}\` is not a cipher suite; it is ignored`);
    } else if (seen.has(cipher)) report.warn(NO_EFFECT, at, `\`${cipher}\` is listed twice`);
    seen.add(cipher);
  });
  const old = tls.minProtocolVersion === 'TLSV1_0' || tls.minProtocolVersion === 'TLSV1_1';
  if (old && !tls.cipherSuites?.length) {
    const message = `\`${tls.minProtocolVersion}\` needs \`cipherSuites\`: those of the default are too new for it`;
    report.warn(SUSPICIOUS, [...path, 'minProtocolVersion'], message);
  }
}

/** What a Sidecar's ingress listener does not support, though a Gateway does. */
export function checkIngressTls(report: Report, path: Path, tls: ServerTLSSettings): void {
  const unsupported = ['subjectAltNames', 'credentialName', 'credentialNames', 'tlsCertificates'] as const;
  for (const field of unsupported) {
    if (tls[field]?.length) report.error(NOT_ALLOWED, [...path, field], `\`${field}\` is not supported in a Sidecar`);
  }
  if (tls.httpsRedirect) {
    report.error(NOT_ALLOWED, [...path, 'httpsRedirect'], '`httpsRedirect` is not supported in a Sidecar');
  }
  if (tls.mode === 'ISTIO_MUTUAL' || tls.mode === 'AUTO_PASSTHROUGH') {
    report.error(NOT_ALLOWED, [...path, 'mode'], `mode \`${tls.mode}\` is not supported in a Sidecar`);
  }
}

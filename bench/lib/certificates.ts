import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes a root and a certificate for the identities `client` and `server` in `folder`, with openssl. */
export function makeCertificates(folder: string): void {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  openssl('ecparam', '-genkey', '-name', 'prime256v1', '-out', 'ca.key');
  openssl('req', '-x509', '-new', '-key', 'ca.key', '-days', '30', '-subj', '/O=cluster.local', '-out', 'ca.crt');
  for (const name of ['client', 'server']) {
    openssl('ecparam', '-genkey', '-name', 'prime256v1', '-out', `${name}.key`);
    openssl('req', '-new', '-key', `${name}.key`, '-subj', '/', '-out', `${name}.csr`);
    const extensions = [
      `subjectAltName=critical,URI:spiffe://cluster.local/ns/default/sa/${name}`,
      'extendedKeyUsage=serverAuth,clientAuth',
      'keyUsage=critical,digitalSignature',
      'basicConstraints=CA:FALSE',
    ];
    writeFileSync(join(folder, `${name}.ext`), extensions.join('\n'));
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '30',
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.crt`,
    );
  }
}

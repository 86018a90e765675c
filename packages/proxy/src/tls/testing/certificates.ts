import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestCertificate {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface TestAuthority {
  readonly folder: string;
  readonly rootFile: string;
  readonly rootPem: string;
  /** `san` in OpenSSL's words, e.g. `URI:spiffe://cluster.local/ns/a/sa/b,DNS:b.a`. */
  issue(name: string, san: string, options?: { readonly days?: number; readonly subject?: string }): TestCertificate;
}

/** A certificate authority made by the `openssl` command in a folder of its own. ECDSA P-256 throughout. */
export function testAuthority(organization = 'cluster.local'): TestAuthority {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-ca-'));
  const run = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  run('ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', 'ca.key');
  run('req', '-x509', '-new', '-key', 'ca.key', '-days', '30', '-subj', `/O=${organization}`, '-out', 'ca.crt');
  const rootFile = join(folder, 'ca.crt');
  return {
    folder,
    rootFile,
    rootPem: readFileSync(rootFile, 'utf8'),
    issue: (name, san, options = {}) => {
      run('ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', `${name}.key`);
      const subject = options.subject ?? `/O=${organization}/CN=${name}`;
      run('req', '-new', '-utf8', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`);
      const extensions = [
        `subjectAltName=${san}`,
        'extendedKeyUsage=serverAuth,clientAuth',
        'keyUsage=critical,digitalSignature',
        'basicConstraints=CA:FALSE',
      ];
      writeFileSync(join(folder, `${name}.ext`), extensions.join('\n'));
      const days = ['-days', String(options.days ?? 10)];
      run(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        '-CA',
        'ca.crt',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        ...days,
        '-extfile',
        `${name}.ext`,
        '-out',
        `${name}.crt`,
      );
      const certificateFile = join(folder, `${name}.crt`);
      const keyFile = join(folder, `${name}.key`);
      return {
        certificateFile,
        keyFile,
        certificatePem: readFileSync(certificateFile, 'utf8'),
        keyPem: readFileSync(keyFile, 'utf8'),
      };
    },
  };
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTool } from '@mizzen/testkit';
import type { Secret } from '@mizzen/xds';

export interface Authority {
  /** Its own certificate as PEM. */
  readonly root: string;
  /** What a proxy of that identity is sent: its certificate, the roots, and `*.example.com` for any credential. */
  secrets(identity: string): (name: string) => Secret;
}

interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority of tests with certificates for those identities, made by `openssl`. */
export function authority(identities: readonly string[]): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-authority-'));
  const run = (...args: string[]): void => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    execFileSync(requireTool('openssl'), ['req', '-x509', ...key, ...args], { cwd: folder, stdio: 'pipe' });
  };
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const issue = (san: string): KeyPair => {
    const names = [
      '-subj',
      '/O=cluster.local',
      '-addext',
      `subjectAltName=${san}`,
      '-addext',
      'basicConstraints=critical,CA:FALSE',
    ];
    run('-CA', 'root.pem', '-CAkey', 'root.key', '-keyout', 'leaf.key', '-out', 'leaf.pem', ...names);
    return { certificate: read('leaf.pem'), key: read('leaf.key') };
  };
  try {
    run(
      '-keyout',
      'root.key',
      '-out',
      'root.pem',
      '-subj',
      '/O=cluster.local',
      '-addext',
      'keyUsage=critical,keyCertSign',
    );
    const root = read('root.pem');
    const site = issue('DNS:*.example.com');
    const issued = new Map(identities.map((identity) => [identity, issue(`URI:${identity}`)]));
    return {
      root,
      secrets: (identity) => {
        const own = issued.get(identity);
        if (own === undefined) throw new RangeError(`no certificate for ${identity}`);
        return (name) => secret(name, root, name === 'default' ? own : site);
      },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function secret(name: string, root: string, { certificate, key }: KeyPair): Secret {
  return name === 'ROOTCA' || name.endsWith('-cacert')
    ? { name, validationContext: { trustedCa: { inlineString: root } } }
    : { name, tlsCertificate: { certificateChain: { inlineString: certificate }, privateKey: { inlineString: key } } };
}

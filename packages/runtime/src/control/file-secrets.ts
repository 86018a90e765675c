import { readFileSync } from 'node:fs';
import type { Credential } from '@mizzen/control-plane';

/**
 * A certificate that a Gateway or DestinationRule names by the paths of its files (`file-cert:CERTIFICATE~KEY`,
 * `file-root:ROOTS`; `system`: those every program trusts), which in a cluster are the proxy's own files and here this
 * machine's. Undefined for other names.
 */
export function resolveFileSecret(name: string): Credential | undefined {
  const pair = /^file-cert:([^~]*)~(.*)$/.exec(name);
  const roots = /^file-root:(.*)$/.exec(name);
  try {
    if (pair !== null) {
      const [, certificate = '', key = ''] = pair;
      return { secret: { name, tlsCertificate: { certificateChain: inline(certificate), privateKey: inline(key) } } };
    }
    if (roots?.[1] === 'system') return { secret: { name, validationContext: { systemRootCerts: {} } } };
    if (roots !== null) return { secret: { name, validationContext: { trustedCa: inline(roots[1] ?? '') } } };
    return undefined;
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error), unusable: true };
  }
}

const inline = (file: string): { inlineBytes: string } => ({ inlineBytes: readFileSync(file).toString('base64') });

import { resolveCredential } from '@mizzen/control-plane';
import { refOf } from '@mizzen/api';
import type { Resource, Snapshot, networking } from '@mizzen/api';
import type { Diagnostic, Path } from '@mizzen/diagnostics';
import type { MeshModel } from '@mizzen/model';
import type { DesiredWorkload } from '../protocol.ts';
import { bytesOf } from './workloads/data.ts';

/** Secrets that Gateways name and that the gateways serving them cannot have. */
export function checkCredentials(model: MeshModel, gateways: readonly DesiredWorkload[]): Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  for (const { owner, labels } of gateways) {
    for (const gateway of model.gatewaysFor(owner.namespace, labels)) {
      for (const { name, path } of credentialsOf(gateway)) {
        const diagnostic = check(model.snapshot, gateway, owner.namespace, name, path);
        if (diagnostic !== undefined)
          found.set(`${gateway.metadata.namespace}/${gateway.metadata.name} ${path.join('.')}`, diagnostic);
      }
    }
  }
  return [...found.values()];
}

interface Named {
  readonly name: string;
  readonly path: Path;
}

function credentialsOf(gateway: Resource<networking.Gateway>): Named[] {
  return (gateway.spec.servers ?? []).flatMap(({ tls }, index) => {
    if (tls === undefined) return [];
    const path = ['spec', 'servers', index, 'tls'];
    const own: Named[] = (tls.credentialNames ?? []).map((name, i) => ({
      name,
      path: [...path, 'credentialNames', i],
    }));
    if (own.length === 0 && tls.credentialName !== undefined) {
      own.push({ name: tls.credentialName, path: [...path, 'credentialName'] });
    }
    const [first] = own;
    const mutual = tls.mode === 'MUTUAL' || tls.mode === 'OPTIONAL_MUTUAL';
    if (mutual && tls.caCertCredentialName !== undefined) {
      own.push({ name: tls.caCertCredentialName, path: [...path, 'caCertCredentialName'] });
    } else if (mutual && first !== undefined) own.push({ name: `${first.name}-cacert`, path: first.path });
    return own;
  });
}

function check(
  snapshot: Snapshot,
  gateway: Resource,
  namespace: string,
  name: string,
  path: Path,
): Diagnostic | undefined {
  const resource = /^[\w-]+:\/\//.test(name) ? name : `kubernetes://${name}`;
  const answer = resolveCredential(resource, namespace, (...key) => bytesOf(snapshot, ...key));
  if (answer === undefined || 'secret' in answer) return undefined;
  const elsewhere = snapshot.list('Secret').find(({ metadata }) => metadata.name === name);
  const help =
    elsewhere === undefined || answer.unusable
      ? 'connections to this server are refused until it has its certificate'
      : `it is in \`${elsewhere.metadata.namespace}\`; a gateway reads the secrets of its own namespace, \`${namespace}\``;
  return {
    code: answer.unusable ? 'MZ0202' : 'MZ0201',
    severity: 'warning',
    message: answer.problem,
    ref: refOf(gateway),
    path,
    help,
  };
}

import { writtenAt } from '@mizzen/api';
import type { Resource, networking } from '@mizzen/api';
import type { Diagnostic, Path } from '@mizzen/diagnostics';
import type { MeshModel } from '@mizzen/model';
import type { DesiredWorkload } from '../protocol.ts';
import { credentialOf } from './credentials.ts';
import { hostsOfGateway } from './workloads/gateway-ports.ts';

/** Secrets that Gateways name and that the gateways serving them cannot have. */
export function checkCredentials(model: MeshModel, gateways: readonly DesiredWorkload[]): Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  for (const { owner, labels } of gateways) {
    for (const gateway of model.gatewaysFor(owner.namespace, labels, hostsOfGateway(model, owner.namespace, labels))) {
      for (const { name, path } of credentialsOf(gateway)) {
        const diagnostic = check(model, gateway, owner.namespace, name, path);
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
  model: MeshModel,
  gateway: Resource,
  namespace: string,
  name: string,
  path: Path,
): Diagnostic | undefined {
  const resource = /^[\w-]+:\/\//.test(name) ? name : `kubernetes://${name}`;
  const answer = credentialOf(model.snapshot, namespace, resource);
  if (answer === undefined || 'secret' in answer) return undefined;
  const elsewhere = model.snapshot.list('Secret').find(({ metadata }) => metadata.name === name);
  const help =
    elsewhere === undefined || answer.unusable
      ? 'connections to this server are refused until it has its certificate'
      : `it is in \`${elsewhere.metadata.namespace}\`; a gateway reads the secrets of its own namespace, \`${namespace}\``;
  return {
    code: answer.unusable ? 'MZ0202' : 'MZ0201',
    severity: 'warning',
    message: answer.problem,
    ...placed(gateway, path),
    help,
  };
}

function placed(gateway: Resource, path: Path): { readonly ref: Diagnostic['ref']; readonly path: Path } {
  const place = writtenAt(gateway, path);
  return { ref: place.resource, path: place.path };
}

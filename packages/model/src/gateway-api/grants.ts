import { GATEWAY_API, type Snapshot } from '@mizzen/api';

interface Allowed {
  all: boolean;
  readonly names: Set<string>;
}

/** What ReferenceGrants allow: references from one namespace's Gateways or HTTPRoutes to another's Secrets or Services. */
export class Grants {
  readonly #allowed = new Map<string, Allowed>();

  constructor(snapshot: Snapshot) {
    for (const { spec, metadata } of snapshot.list('ReferenceGrant')) {
      for (const from of spec.from ?? []) {
        if (from.group !== GATEWAY_API) continue;
        for (const to of spec.to ?? []) {
          if (to.group !== '' && to.group !== 'core') continue;
          const key = `${from.kind} ${from.namespace} ${to.kind} ${metadata.namespace}`;
          let allowed = this.#allowed.get(key);
          if (allowed === undefined) this.#allowed.set(key, (allowed = { all: false, names: new Set() }));
          if (to.name === undefined || to.name === '') allowed.all = true;
          else allowed.names.add(to.name);
        }
      }
    }
  }

  /** May Gateways of `from` use the Secret `namespace/name`? */
  secret(from: string, namespace: string, name: string): boolean {
    return this.#allows('Gateway', from, 'Secret', namespace, name);
  }

  /** May HTTPRoutes of `from` lead to the Service `namespace/name`? */
  service(from: string, namespace: string, name: string): boolean {
    return this.#allows('HTTPRoute', from, 'Service', namespace, name);
  }

  #allows(kind: string, from: string, to: string, namespace: string, name: string): boolean {
    if (from === namespace) return true;
    const allowed = this.#allowed.get(`${kind} ${from} ${to} ${namespace}`);
    return allowed !== undefined && (allowed.all || allowed.names.has(name));
  }
}

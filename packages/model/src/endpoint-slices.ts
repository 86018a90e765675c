import type { Resource, Snapshot } from '@mizzen/api';

/** Addresses that share ports. */
export interface EndpointGroup {
  readonly addresses: readonly {
    readonly address: string;
    readonly ready: boolean;
    readonly pod: string | undefined;
    readonly nodeName: string | undefined;
  }[];
  readonly ports: readonly { readonly name?: string; readonly port?: number }[];
}
interface TargetRef {
  readonly kind?: string;
  readonly name?: string;
}
interface SliceBody {
  readonly endpoints?: readonly {
    readonly addresses?: readonly string[];
    readonly conditions?: { readonly ready?: boolean; readonly terminating?: boolean };
    readonly targetRef?: TargetRef;
    readonly nodeName?: string;
  }[];
  readonly ports?: EndpointGroup['ports'];
}
interface EndpointsBody {
  readonly subsets?: readonly {
    readonly addresses?: readonly {
      readonly ip?: string;
      readonly targetRef?: TargetRef;
      readonly nodeName?: string;
    }[];
    readonly ports?: EndpointGroup['ports'];
  }[];
}

/** The groups of an EndpointSlice (one) or of Endpoints (one per subset); what is shut down and no longer ready is left out. */
export function endpointGroups(resource: Resource): EndpointGroup[] {
  if (resource.kind === 'Endpoints') {
    return ((resource.body as EndpointsBody).subsets ?? []).map((subset) => ({
      addresses: (subset.addresses ?? []).map(({ ip, targetRef, nodeName }) => ({
        address: ip ?? '',
        ready: true,
        pod: podName(targetRef),
        nodeName,
      })),
      ports: subset.ports ?? [],
    }));
  }
  const body = resource.body as SliceBody;
  const addresses = (body.endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false || conditions.terminating !== true)
    .flatMap((endpoint) =>
      (endpoint.addresses ?? []).map((address) => ({
        address,
        ready: endpoint.conditions?.ready !== false,
        pod: podName(endpoint.targetRef),
        nodeName: endpoint.nodeName,
      })),
    );
  return [{ addresses, ports: body.ports ?? [] }];
}

function podName(target: TargetRef | undefined): string | undefined {
  return target?.kind === 'Pod' ? target.name : undefined;
}

/** By `namespace/service`. Endpoints count only where there is no slice. */
export function indexSlices(snapshot: Snapshot): Map<string, Resource[]> {
  const out = new Map<string, Resource[]>();
  for (const slice of snapshot.list('EndpointSlice')) {
    const service = slice.metadata.labels?.['kubernetes.io/service-name'];
    if (service === undefined) continue;
    const key = `${slice.metadata.namespace}/${service}`;
    const list = out.get(key);
    if (list === undefined) out.set(key, [slice]);
    else list.push(slice);
  }
  for (const endpoints of snapshot.list('Endpoints')) {
    const key = `${endpoints.metadata.namespace}/${endpoints.metadata.name}`;
    if (!out.has(key)) out.set(key, [endpoints]);
  }
  return out;
}

import type { Resource, Snapshot, k8s } from '@mizzen/api';
import { refOf } from '@mizzen/api';
import type { Path, Ref } from '@mizzen/diagnostics';

/** What runs pods: a Deployment, a StatefulSet, or a Pod by itself, brought to one shape. */
export interface Template {
  readonly resource: Resource;
  readonly owner: Pick<Ref, 'kind' | 'namespace' | 'name'>;
  readonly ref: Ref;
  readonly replicas: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: k8s.PodSpec;
  /** Where `spec` is in the resource, for diagnostics. */
  readonly specPath: Path;
  readonly metadataPath: Path;
  readonly strategy: {
    readonly type: 'RollingUpdate' | 'Recreate';
    readonly maxSurge: number | string;
    readonly maxUnavailable: number | string;
  };
}

/** Every controller and bare pod, in the order they are written. */
export function templatesOf(snapshot: Snapshot): Template[] {
  const templates = [
    ...snapshot.list('Deployment').map(deployment),
    ...snapshot.list('StatefulSet').map(statefulSet),
    ...snapshot.list('Pod').flatMap((pod) => (isRunByOthers(pod) ? [] : [barePod(pod)])),
  ];
  return templates.toSorted((a, b) => a.resource.order - b.resource.order);
}

/** A pod written out of a cluster, of a controller that is perhaps written out, too. */
function isRunByOthers(pod: Resource): boolean {
  const metadata = pod.body['metadata'] as { readonly ownerReferences?: readonly unknown[] } | undefined;
  return (metadata?.ownerReferences?.length ?? 0) > 0;
}

function deployment(resource: Resource<k8s.DeploymentSpec>): Template {
  const { spec } = resource;
  const type = spec.strategy?.type ?? 'RollingUpdate';
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec.strategy?.rollingUpdate ?? {};
  return { ...controller(resource), strategy: { type, maxSurge, maxUnavailable } };
}

/** Replaced one after the other, never two at a time. */
function statefulSet(resource: Resource<k8s.StatefulSetSpec>): Template {
  return { ...controller(resource), strategy: { type: 'RollingUpdate', maxSurge: 0, maxUnavailable: 1 } };
}

function controller(resource: Resource<k8s.DeploymentSpec>): Omit<Template, 'strategy'> {
  const { template, replicas = 1 } = resource.spec;
  return {
    ...naming(resource),
    replicas,
    labels: template.metadata?.labels ?? {},
    annotations: template.metadata?.annotations ?? {},
    spec: template.spec,
    specPath: ['spec', 'template', 'spec'],
    metadataPath: ['spec', 'template', 'metadata'],
  };
}

function barePod(resource: Resource<k8s.PodSpec>): Template {
  return {
    ...naming(resource),
    replicas: 1,
    labels: resource.metadata.labels ?? {},
    annotations: resource.metadata.annotations ?? {},
    spec: resource.spec,
    specPath: ['spec'],
    metadataPath: ['metadata'],
    strategy: { type: 'Recreate', maxSurge: 0, maxUnavailable: 1 },
  };
}

function naming(resource: Resource): Pick<Template, 'resource' | 'owner' | 'ref'> {
  const ref = refOf(resource);
  return { resource, ref, owner: { kind: ref.kind, namespace: ref.namespace, name: ref.name } };
}

/** Istio's order for what it calls a workload's canonical revision; empty when nothing says. */
export function versionOf(labels: Readonly<Record<string, string>>): string {
  const keys = ['service.istio.io/canonical-revision', 'app.kubernetes.io/version', 'version'];
  return keys.map((key) => labels[key]).find((value) => value !== undefined) ?? '';
}

export function serviceAccountOf(spec: k8s.PodSpec): string {
  const name = spec.serviceAccountName ?? spec.serviceAccount ?? '';
  return name === '' ? 'default' : name;
}

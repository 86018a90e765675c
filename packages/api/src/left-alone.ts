import type { Ref } from '@mizzen/diagnostics';
import type { SourceDocument } from './resource.ts';

/** A resource of a kind that Mizzen has no use for. */
export interface LeftAlone {
  readonly ref: Ref;
  readonly source: SourceDocument;
  /** What does its work on one machine, as part of a sentence; undefined when nothing does. */
  readonly insteadOf: string | undefined;
}

const K8S_JOBS = 'run it by hand with `mizzen curl` or a shell';
const RBAC = 'there is no API server to protect';

/** By group, then kind: what does its work here. `*` stands for every other kind of the group. */
export const LEFT_ALONE: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  '': {
    PersistentVolume: 'workloads use the file system they run in',
    PersistentVolumeClaim: 'workloads use the file system they run in',
    ReplicationController: 'use a Deployment',
    LimitRange: undefined,
    ResourceQuota: undefined,
    PodTemplate: undefined,
    Event: undefined,
  },
  apps: { DaemonSet: 'use a Deployment', ReplicaSet: 'use a Deployment', ControllerRevision: undefined },
  batch: { Job: K8S_JOBS, CronJob: K8S_JOBS },
  autoscaling: { HorizontalPodAutoscaler: '`mizzen scale WORKLOAD=N` changes the number of replicas' },
  policy: { PodDisruptionBudget: 'restarts replace one pod after the other', PodSecurityPolicy: undefined },
  'rbac.authorization.k8s.io': { '*': RBAC },
  'apiextensions.k8s.io': { '*': 'the kinds Mizzen reads are built in' },
  'admissionregistration.k8s.io': { '*': '`mizzen validate` checks resources' },
  'apiregistration.k8s.io': { '*': undefined },
  'networking.k8s.io': {
    NetworkPolicy: 'AuthorizationPolicy is enforced by the sidecars',
    Ingress: 'use a Gateway and a VirtualService',
    IngressClass: 'use a Gateway and a VirtualService',
  },
  'storage.k8s.io': { '*': 'workloads use the file system they run in' },
  'scheduling.k8s.io': { '*': undefined },
  'jaegertracing.io': { '*': 'trace headers are passed on' },
  'monitoring.coreos.com': { '*': 'each proxy serves its own metrics' },
  'cert-manager.io': { '*': 'put the certificate in a Secret' },
  'argoproj.io': { '*': undefined },
};

/** Whether a kind is known and has no part in a mesh on one machine, with what stands in for it. */
export function leftAloneKind(group: string, kind: string): { readonly insteadOf: string | undefined } | undefined {
  const kinds = LEFT_ALONE[group];
  if (!kinds) return undefined;
  if (Object.hasOwn(kinds, kind)) return { insteadOf: kinds[kind] };
  return '*' in kinds ? { insteadOf: kinds['*'] } : undefined;
}

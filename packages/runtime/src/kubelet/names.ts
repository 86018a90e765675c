import type { DesiredWorkload } from '../protocol.ts';

/** As Kubernetes makes `<SVC>_SERVICE_HOST` and Mizzen makes `PORT_<NAME>`: capitals, other characters as underscores. */
export function envName(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_');
}

/** The template's labels, with those that Kubernetes adds to the pods of a StatefulSet. */
export function podLabels({ owner, labels }: DesiredWorkload, pod: string): Readonly<Record<string, string>> {
  if (owner.kind !== 'StatefulSet') return labels;
  const index = pod.slice(owner.name.length + 1);
  return { ...labels, 'statefulset.kubernetes.io/pod-name': pod, 'apps.kubernetes.io/pod-index': index };
}

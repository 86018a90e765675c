import type { Snapshot, k8s } from '@mizzen/api';
import { fitsSelector } from './labels.ts';
import { namespaceLabels } from './namespaces.ts';
import type { ExportTo } from './visibility.ts';

/**
 * How far MeshConfig's `serviceEntryVisibility` lets a ServiceEntry of `namespace` be seen that is exported to
 * `exportTo`: the first policy counts whose rules all fit the namespace, else the default.
 */
export function limitVisibility(snapshot: Snapshot, namespace: string, exportTo: ExportTo): ExportTo {
  const setting = snapshot.mesh.serviceEntryVisibility;
  if (setting?.applyToSidecars !== true) return exportTo;
  const labels = namespaceLabels(snapshot, namespace);
  const policy = (setting.policies ?? []).find(({ matchingRules = [] }) =>
    matchingRules.every(({ namespaceSelector }) => fitsSelector(namespaceSelector as k8s.LabelSelector, labels)),
  );
  switch (policy?.visibility ?? setting.defaultVisibility) {
    case 'NONE':
      return [];
    case 'NAMESPACE':
      return [namespace];
    default:
      return exportTo;
  }
}

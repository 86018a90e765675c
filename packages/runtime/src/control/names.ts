import type { Ref } from '@mizzen/diagnostics';

export function refName({ kind, namespace, name }: Pick<Ref, 'kind' | 'namespace' | 'name'>): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

export function meshName({ file }: { readonly file: string }): string {
  return `MeshConfig ${file}`;
}

/** To whom a resource is visible: everybody (`*`), or the namespaces listed; nobody when empty. */
export type ExportTo = readonly string[];

/**
 * `exportTo` as written in a resource of `namespace` (or the mesh's default when absent), with `.` replaced by the
 * namespace itself and `~` dropped.
 */
export function exportedTo(
  written: readonly string[] | undefined,
  fallback: readonly string[] | undefined,
  namespace: string,
): ExportTo {
  const list = written !== undefined && written.length > 0 ? written : (fallback ?? ['*']);
  if (list.includes('*')) return ['*'];
  return [...new Set(list.filter((to) => to !== '~').map((to) => (to === '.' ? namespace : to)))];
}

export function isVisible(exportTo: ExportTo, namespace: string): boolean {
  return exportTo.includes('*') || exportTo.includes(namespace);
}

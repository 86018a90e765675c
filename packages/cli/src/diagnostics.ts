import { withSpan } from '@mizzen/api';
import type { Diagnostic } from '@mizzen/diagnostics';
import type { ReadResult } from '@mizzen/sources';

/** All that is wrong with what was read, the patches of EnvoyFilters included, which only Envoy's API can tell. */
export async function diagnosticsOf({ diagnostics, snapshot }: ReadResult): Promise<readonly Diagnostic[]> {
  if (snapshot.list('EnvoyFilter').length === 0) return diagnostics;
  const { envoyFilterProblems } = await import('@mizzen/translator');
  return [...diagnostics, ...envoyFilterProblems(snapshot).map((each) => withSpan(each, snapshot))];
}

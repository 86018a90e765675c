import type { types } from '@mizzen/xds';
import { CompileContext } from '../program/context.ts';
import { compileString } from '../program/match/string.ts';
import type { CompileDeps } from '../program/types.ts';
import type { Nack } from '../types.ts';

/** Which statistics a bootstrap wants to be seen; undefined: all. */
export function compileStatsMatcher(
  matcher: types.metrics.StatsMatcher | undefined,
  resource: string,
  deps: CompileDeps,
): { readonly accepts: (name: string) => boolean; readonly nacks: readonly Nack[] } {
  const context = new CompileContext('', resource, deps);
  const list = matcher?.inclusionList ?? matcher?.exclusionList;
  const key = matcher?.inclusionList === undefined ? 'exclusionList' : 'inclusionList';
  const matches = (list?.patterns ?? []).map((pattern, i) =>
    compileString(context, pattern, ['statsConfig', 'statsMatcher', key, 'patterns', i]),
  );
  const any = (name: string): boolean => matches.some((each) => each.matches(name));
  const accepts =
    matcher?.rejectAll === true
      ? (): boolean => false
      : list === undefined
        ? (): boolean => true
        : key === 'inclusionList'
          ? any
          : (name: string): boolean => !any(name);
  return { accepts, nacks: context.nacks };
}

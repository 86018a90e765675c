import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import { compileCidrs } from '../program/match/cidr.ts';
import { compileString } from '../program/match/string.ts';
import type { Path } from '../program/path.ts';
import type { FilterStateObject } from './state.ts';

export interface FilterStateMatch {
  readonly key: string;
  /** In words, after what the object is called. */
  readonly text: string;
  readonly matches: (object: FilterStateObject | undefined) => boolean;
}

/** An object that is not there matches nothing. */
export function compileFilterState(
  context: CompileContext,
  matcher: types.matcher.FilterStateMatcher,
  path: Path,
): FilterStateMatch {
  const { key = '', stringMatch, addressMatch } = matcher;
  if (key === '') context.refuse([...path, 'key'], 'must not be empty');
  if (addressMatch !== undefined) {
    const ranges = compileCidrs(context, addressMatch.ranges, [...path, 'addressMatch', 'ranges']);
    const invert = addressMatch.invertMatch === true;
    return {
      key,
      text: `is ${invert ? 'not ' : ''}in ${ranges.map((range) => range.text).join(', ')}`,
      matches: (object) =>
        object?.address !== undefined && ranges.some((range) => range.contains(object.address!)) !== invert,
    };
  }
  if (stringMatch === undefined) context.refuse(path, 'must say what to match');
  const string = compileString(context, stringMatch ?? { exact: '' }, [...path, 'stringMatch']);
  return {
    key,
    text: string.text,
    matches: (object) => object?.text !== undefined && string.matches(object.text),
  };
}

import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { LogSource } from '../program/types.ts';
import { formatOf } from '../telemetry/access-log.ts';
import { OBJECT_FACTORIES } from './objects.ts';
import type { FilterState } from './state.ts';

/** Puts values into a state, made from what is known at that moment. */
export type StateSetter = (state: FilterState, source: LogSource) => void;

export function compileStateSetter(
  context: CompileContext,
  values: readonly types.setFilterState.FilterStateValue[] | undefined,
  path: Path,
): StateSetter | undefined {
  if (values === undefined || values.length === 0) return undefined;
  const all = values.flatMap((value, i) => compileValue(context, value, [...path, i]) ?? []);
  return (state, source) => {
    for (const set of all) set(state, source);
  };
}

function compileValue(
  context: CompileContext,
  value: types.setFilterState.FilterStateValue,
  path: Path,
): StateSetter | undefined {
  const { objectKey: key = '', factoryKey = '', formatString, skipIfEmpty = false } = value;
  if (key === '') context.refuse([...path, 'objectKey'], 'must not be empty');
  const kind = factoryKey === '' ? key : factoryKey;
  const make = Object.hasOwn(OBJECT_FACTORIES, kind) ? OBJECT_FACTORIES[kind] : undefined;
  if (make === undefined) {
    context.refuse(
      [...path, factoryKey === '' ? 'objectKey' : 'factoryKey'],
      `\`${kind}\` is not a kind of objects that can be made from text`,
    );
    return undefined;
  }
  if (formatString === undefined) {
    context.refuse(path, 'must say in `formatString` what the value is');
    return undefined;
  }
  const format = formatOf(context, formatString, [...path, 'formatString']);
  const sharing = value.sharedWithUpstream ?? 'NONE';
  return (state, source) => {
    const text = format(source);
    if (skipIfEmpty && text === '') return;
    const object = make(text);
    if (object !== undefined) state.set(key, object, sharing);
  };
}

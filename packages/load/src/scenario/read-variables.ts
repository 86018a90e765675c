import type { Path } from '@mizzen/diagnostics';
import type { Reader } from './reader.ts';
import type { Variable } from './types.ts';

export function readVariables(
  reader: Reader,
  value: unknown,
  path: Path,
  environment: Readonly<Record<string, string | undefined>>,
): readonly (readonly [string, Variable])[] {
  if (value === undefined) return [];
  return Object.entries(reader.object(value, path) ?? {}).flatMap(([name, each]) => {
    const variable = variableOf(reader, each, [...path, name], environment);
    return variable === undefined ? [] : [[name, variable] as const];
  });
}

function variableOf(
  reader: Reader,
  value: unknown,
  path: Path,
  environment: Readonly<Record<string, string | undefined>>,
): Variable | undefined {
  if (Array.isArray(value)) {
    return value.length > 0 ? { kind: 'one-of', values: value } : reader.wrong(path, 'must have a value to choose');
  }
  if (typeof value !== 'object' || value === null) return { kind: 'constant', value };
  const fields = reader.object(value, path, ['from', 'to', 'sequence', 'uuid', 'env', 'default']);
  if (fields === undefined) return undefined;
  if (fields['uuid'] === true) return { kind: 'uuid' };
  if (fields['sequence'] !== undefined) {
    const from = reader.number(fields['sequence'], [...path, 'sequence'], Number.MIN_SAFE_INTEGER, true);
    return from === undefined ? undefined : { kind: 'sequence', from };
  }
  if (fields['env'] !== undefined) {
    const name = reader.string(fields['env'], [...path, 'env']) ?? '';
    const found = environment[name] ?? fields['default'];
    if (found === undefined) return reader.wrong([...path, 'env'], `\`${name}\` is not in the environment`);
    return { kind: 'constant', value: found };
  }
  const from = reader.number(fields['from'], [...path, 'from'], Number.MIN_SAFE_INTEGER, true);
  const to = reader.number(fields['to'], [...path, 'to'], from ?? 0, true);
  // What is wrong with one of them was said.
  if ((from === undefined || to === undefined) && fields['from'] !== undefined && fields['to'] !== undefined) {
    return undefined;
  }
  if (from === undefined || to === undefined) {
    return reader.wrong(path, 'must be a value, a list, `from` and `to`, `sequence`, `uuid: true` or `env`');
  }
  return { kind: 'range', from, to };
}

import type { JsonObject } from '@mizzen/xds';
import { ExpressionError } from '../../cel/ast.ts';
import { compileExpression } from '../../cel/compile.ts';
import { parseExpression } from '../../cel/parser.ts';
import { printValue } from '../../cel/print.ts';
import { jsonOf } from '../../cel/to-json.ts';
import { filterStateOf, type FilterStateObject } from '../../filter-state/state.ts';
import { lookUp } from '../../program/match/value.ts';
import type { LogSource } from '../../program/types.ts';
import { wireJson } from '../../program/values.ts';
import type { StreamInfo } from '../../types.ts';
import { CONFIGURED_METADATA } from '../access-log-upstream.ts';
import { shortestDouble, withDoubles } from '../double-text.ts';
import type { Operator, OperatorFactory, OperatorValue } from './operator.ts';

type MetadataOf = (info: StreamInfo) => Readonly<Record<string, JsonObject>> | undefined;

/** `NAMESPACE:KEY:KEY…` within metadata. */
function metadata(get: MetadataOf): OperatorFactory {
  return (argument) =>
    argument === undefined || argument === '' ? { problem: 'needs a namespace' } : within(get, argument.split(':'));
}

function within(get: MetadataOf, [namespace = '', ...keys]: readonly string[]): Operator {
  const value: Operator = (source) => wireJson(lookUp(get(source.info)?.[namespace], keys));
  const written = (source: LogSource): OperatorValue => {
    const given = value(source);
    return given === undefined ? undefined : withDoubles(given, shortestDouble);
  };
  return Object.assign((source: LogSource) => value(source), { inText: written, inJson: written });
}

const METADATA_OF: typeof CONFIGURED_METADATA = { ...CONFIGURED_METADATA, DYNAMIC: (i) => i.dynamicMetadata };

/** The value of an expression, as text. */
const cel: OperatorFactory = (argument, deps) => {
  if (argument === undefined || argument === '') return { problem: 'needs an expression' };
  try {
    const evaluate = compileExpression(parseExpression(argument), deps.expressions);
    return (source) => printValue(evaluate(source));
  } catch (error) {
    if (error instanceof ExpressionError) return { problem: `has an expression that ${error.message}` };
    throw error;
  }
};

/** The same, in JSON with its type. */
const typedCel: OperatorFactory = (argument, deps) => {
  const inText = cel(argument, deps);
  if (typeof inText !== 'function') return inText;
  const evaluate = compileExpression(parseExpression(argument!), deps.expressions);
  return Object.assign((source: LogSource) => jsonOf(evaluate(source)), { inText });
};

/** `KEY`, `KEY:PLAIN`, `KEY:TYPED` or `KEY:FIELD:NAME`. */
function filterState(of: (info: StreamInfo, key: string) => FilterStateObject | undefined): OperatorFactory {
  return (argument) => filterStateOperator(of, argument);
}

function filterStateOperator(
  of: (info: StreamInfo, key: string) => FilterStateObject | undefined,
  argument: string | undefined,
): ReturnType<OperatorFactory> {
  const [key = '', style = 'TYPED', field = ''] = (argument ?? '').split(':');
  if (key === '') return { problem: 'needs a key' };
  switch (style) {
    case 'PLAIN':
      if (field !== '') return { problem: 'has a field only with `FIELD`' };
      return ({ info: i }) => of(i, key)?.text;
    case 'TYPED': {
      const get = ({ info: i }: LogSource): OperatorValue => of(i, key)?.json;
      const inText = (source: LogSource): OperatorValue => {
        const value = get(source);
        return value === undefined ? undefined : JSON.stringify(value);
      };
      return Object.assign(get, { inText });
    }
    case 'FIELD':
      if (field === '') return { problem: 'needs the name of a field' };
      return ({ info: i }) => of(i, key)?.fields?.[field];
    default:
      return { problem: `\`${style}\` is not a style` };
  }
}

/** What was configured or noted for others, and what expressions make of it. */
export const METADATA_OPERATORS: Readonly<Record<string, OperatorFactory>> = {
  CLUSTER_METADATA: metadata(CONFIGURED_METADATA['CLUSTER']!),
  UPSTREAM_METADATA: metadata(CONFIGURED_METADATA['UPSTREAM_HOST']!),
  DYNAMIC_METADATA: metadata((i) => i.dynamicMetadata),
  METADATA: (argument) => {
    const [of = '', ...rest] = (argument ?? '').split(':');
    const get = METADATA_OF[of];
    return get === undefined ? { problem: `\`${of}\` has no metadata here` } : within(get, rest);
  },
  CEL: cel,
  TYPED_CEL: typedCel,
  FILTER_STATE: filterState(filterStateOf),
  UPSTREAM_FILTER_STATE: filterState((i, key) => i.upstreamConnection?.filterState?.get(key)),
};

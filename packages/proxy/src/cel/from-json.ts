import type { types } from '@mizzen/xds';
import { wire } from '../program/values.ts';
import { ExpressionError, type Expression } from './ast.ts';
import { Bytes, Duration, MAX_INT, MIN_INT, Timestamp, Uint, type Value } from './values.ts';
import { parseTimestamp } from './timestamp.ts';
import { parseDuration } from './duration.ts';

/** An expression that comes parsed, as JSON of `google.api.expr.v1alpha1.Expr`. */
export function expressionOf(expr: types.expr.Expr): Expression {
  if (expr.constExpr !== undefined) return { kind: 'constant', value: constant(expr.constExpr) };
  if (expr.identExpr !== undefined) {
    const { name = '' } = expr.identExpr;
    if (name === '') throw new ExpressionError('has an identifier without a name');
    return { kind: 'identifier', name };
  }
  if (expr.selectExpr !== undefined) {
    const { operand = {}, field = '', testOnly = false } = expr.selectExpr;
    return { kind: 'select', operand: expressionOf(operand), field: wire(field), test: testOnly };
  }
  if (expr.callExpr !== undefined) {
    const { target, function: name = '', args = [] } = expr.callExpr;
    return {
      kind: 'call',
      name: name === '_in_' || name === 'in' ? '@in' : name,
      target: target === undefined ? undefined : expressionOf(target),
      args: args.map(expressionOf),
    };
  }
  if (expr.listExpr !== undefined) return { kind: 'list', items: (expr.listExpr.elements ?? []).map(expressionOf) };
  if (expr.structExpr !== undefined) {
    if ((expr.structExpr.messageName ?? '') !== '')
      throw new ExpressionError('makes a message, which is not supported');
    const entries = (expr.structExpr.entries ?? []).map(
      ({ mapKey = {}, value = {} }) => [expressionOf(mapKey), expressionOf(value)] as const,
    );
    return { kind: 'map', entries };
  }
  if (expr.comprehensionExpr !== undefined) throw new ExpressionError('goes through values, which is not supported');
  throw new ExpressionError('has a part that says nothing');
}

function constant(value: types.expr.Constant): Value {
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.int64Value !== undefined) return whole(value.int64Value, MIN_INT, MAX_INT);
  if (value.uint64Value !== undefined) return new Uint(whole(value.uint64Value, 0n, 2n ** 64n - 1n));
  if (value.doubleValue !== undefined) return Number(value.doubleValue);
  if (value.stringValue !== undefined) return wire(value.stringValue);
  if (value.bytesValue !== undefined) return new Bytes(Buffer.from(value.bytesValue, 'base64').toString('latin1'));
  if (value.durationValue !== undefined) return new Duration(there(parseDuration(value.durationValue)));
  if (value.timestampValue !== undefined) return new Timestamp(there(parseTimestamp(value.timestampValue)));
  if (value.nullValue === undefined) throw new ExpressionError('has a constant without a value');
  return null;
}

function whole(given: string | number, min: bigint, max: bigint): bigint {
  const value = BigInt(given);
  if (value < min || value > max) throw new ExpressionError(`has \`${given}\`, which 64 bits do not hold`);
  return value;
}

function there(time: bigint | undefined): bigint {
  if (time === undefined) throw new ExpressionError('has a time that there is not');
  return time;
}

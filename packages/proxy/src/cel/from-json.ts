import type { types } from '@mizzen/xds';
import { wire } from '../program/values.ts';
import { ExpressionError, type Expression } from './ast.ts';
import { Bytes, Duration, Timestamp, Uint, type Value } from './values.ts';
import { parseTimestamp } from './timestamp.ts';
import { parseDuration } from './duration.ts';

/** An expression that comes parsed, as JSON of `google.api.expr.v1alpha1.Expr`. */
export function expressionOf(expr: types.expr.Expr): Expression {
  if (expr.constExpr !== undefined) return { kind: 'constant', value: constant(expr.constExpr) };
  if (expr.identExpr !== undefined) return { kind: 'identifier', name: expr.identExpr.name ?? '' };
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
  if (value.int64Value !== undefined) return BigInt(value.int64Value);
  if (value.uint64Value !== undefined) return new Uint(BigInt(value.uint64Value));
  if (value.doubleValue !== undefined) return Number(value.doubleValue);
  if (value.stringValue !== undefined) return wire(value.stringValue);
  if (value.bytesValue !== undefined) return new Bytes(Buffer.from(value.bytesValue, 'base64').toString('latin1'));
  if (value.durationValue !== undefined) return new Duration(parseDuration(value.durationValue) ?? 0n);
  if (value.timestampValue !== undefined) return new Timestamp(parseTimestamp(value.timestampValue) ?? 0n);
  return null;
}

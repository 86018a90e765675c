import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const EXPR = 'google.api.expr.v1alpha1';

/** Expressions of the Common Expression Language, and where they may stand. */
export const expressionFields: FieldTable = {
  'envoy.config.core.v3.CelExpressionConfig': {
    implemented: 'enableStringConversion enableStringConcat enableStringFunctions',
  },
  'envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter': { implemented: 'expression celConfig' },
  'envoy.config.accesslog.v3.ExtensionFilter': {
    implemented: 'typedConfig',
    noEffect: { 'the type says what it is': 'name' },
  },
  'envoy.extensions.formatter.cel.v3.Cel': { implemented: 'celConfig' },
  'envoy.extensions.formatter.metadata.v3.Metadata': {},
  'envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery': {},
  [`${EXPR}.Expr`]: {
    implemented: 'constExpr identExpr selectExpr callExpr listExpr structExpr',
    noEffect: { 'parts are told apart by where they are': 'id' },
    refused: { 'Envoy switches going through values off, too': 'comprehensionExpr' },
  },
  [`${EXPR}.Constant`]: {
    implemented: `nullValue boolValue int64Value uint64Value doubleValue stringValue bytesValue durationValue
      timestampValue`,
  },
  [`${EXPR}.Expr.Ident`]: { implemented: 'name' },
  [`${EXPR}.Expr.Select`]: { implemented: 'operand field testOnly' },
  [`${EXPR}.Expr.Call`]: { implemented: 'target function args' },
  [`${EXPR}.Expr.CreateList`]: { implemented: 'elements', refused: { [NOT_SUPPORTED]: 'optionalIndices' } },
  [`${EXPR}.Expr.CreateStruct`]: { implemented: 'entries', refused: { [NOT_SUPPORTED]: 'messageName' } },
  [`${EXPR}.Expr.CreateStruct.Entry`]: {
    implemented: 'mapKey value',
    noEffect: { 'parts are told apart by where they are': 'id' },
    refused: { [NOT_SUPPORTED]: 'fieldKey optionalEntry' },
  },
};

import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const POSITIONS = 'only says where in a text it was, or what types were found';

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
  ...parsed('google.api.expr.v1alpha1'),
  ...parsed('cel.expr'),
};

/** A parsed expression, in either package that has it. */
function parsed(inPackage: string): FieldTable {
  return {
    [`${inPackage}.ParsedExpr`]: { implemented: 'expr', noEffect: { [POSITIONS]: 'sourceInfo' } },
    [`${inPackage}.CheckedExpr`]: {
      implemented: 'expr',
      noEffect: { [POSITIONS]: 'referenceMap typeMap sourceInfo exprVersion' },
    },
    [`${inPackage}.Expr`]: {
      implemented: 'constExpr identExpr selectExpr callExpr listExpr structExpr',
      noEffect: { 'parts are told apart by where they are': 'id' },
      refused: { 'Envoy switches going through values off, too': 'comprehensionExpr' },
    },
    [`${inPackage}.Constant`]: {
      implemented: `nullValue boolValue int64Value uint64Value doubleValue stringValue bytesValue durationValue
      timestampValue`,
    },
    [`${inPackage}.Expr.Ident`]: { implemented: 'name' },
    [`${inPackage}.Expr.Select`]: { implemented: 'operand field testOnly' },
    [`${inPackage}.Expr.Call`]: { implemented: 'target function args' },
    [`${inPackage}.Expr.CreateList`]: { implemented: 'elements', refused: { [NOT_SUPPORTED]: 'optionalIndices' } },
    [`${inPackage}.Expr.CreateStruct`]: { implemented: 'entries', refused: { [NOT_SUPPORTED]: 'messageName' } },
    [`${inPackage}.Expr.CreateStruct.Entry`]: {
      implemented: 'mapKey value',
      noEffect: { 'parts are told apart by where they are': 'id' },
      refused: { [NOT_SUPPORTED]: 'fieldKey optionalEntry' },
    },
  };
}

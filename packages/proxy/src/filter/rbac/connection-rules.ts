import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';

/** Refuses, as Envoy does, rules for connections that ask for a header field, which no connection has. */
export function refuseHeaderRules(context: CompileContext, rules: types.rbac.RBAC | undefined, path: Path): void {
  for (const [name, { permissions, principals }] of Object.entries(rules?.policies ?? {})) {
    const at = [...path, 'policies', name];
    for (const [i, each] of (permissions ?? []).entries()) inPermission(context, each, [...at, 'permissions', i]);
    for (const [i, each] of (principals ?? []).entries()) inPrincipal(context, each, [...at, 'principals', i]);
  }
}

function inPermission(context: CompileContext, rule: types.rbac.Permission, path: Path): void {
  if (rule.header !== undefined) refuse(context, path);
  for (const kind of ['andRules', 'orRules'] as const)
    for (const [i, each] of (rule[kind]?.rules ?? []).entries())
      inPermission(context, each, [...path, kind, 'rules', i]);
  if (rule.notRule !== undefined) inPermission(context, rule.notRule, [...path, 'notRule']);
}

function inPrincipal(context: CompileContext, rule: types.rbac.Principal, path: Path): void {
  if (rule.header !== undefined) refuse(context, path);
  for (const kind of ['andIds', 'orIds'] as const)
    for (const [i, each] of (rule[kind]?.ids ?? []).entries()) inPrincipal(context, each, [...path, kind, 'ids', i]);
  if (rule.notId !== undefined) inPrincipal(context, rule.notId, [...path, 'notId']);
}

function refuse(context: CompileContext, path: Path): void {
  context.refuse([...path, 'header'], 'is not for connections, which have no header fields');
}

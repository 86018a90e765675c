import type { security } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import * as conditions from './conditions.ts';
import type { Condition, Target } from './conditions.ts';
import { withTrustDomainAliases } from './trust-domains.ts';

type Permission = types.rbac.Permission;
type Principal = types.rbac.Principal;

interface Clause<T> {
  readonly condition: Condition<T>;
  readonly values: readonly string[];
  readonly notValues: readonly string[];
}

/** What compiling a rule needs besides the rule. */
export interface RuleOptions extends Target {
  readonly action: 'ALLOW' | 'DENY' | 'LOG';
  /** The mesh's trust domain and its aliases. */
  readonly trustDomains: readonly string[];
}

/**
 * One rule of an AuthorizationPolicy as a policy of Envoy's RBAC: `from` and `when` make principals, `to` and `when`
 * make permissions. Undefined when the rule must be left out.
 *
 * A condition that cannot be checked (it is about HTTP and this is TCP) makes an ALLOW rule match nothing, because to
 * drop it would allow more; in DENY and AUDIT rules only the condition is dropped, because that denies more.
 */
export function compileRule(rule: security.Rule, options: RuleOptions): types.rbac.Policy | undefined {
  const when = compileWhen(rule.when ?? [], options);
  if (when === undefined) return undefined;
  const permissions = alternatives(rule.to, (to) => [...operation(to.operation), ...when.permissions]);
  const principals = alternatives(rule.from, (from) => [...source(from.source, options), ...when.principals]);
  const compiledPermissions = compileAll(
    permissions.length > 0 ? permissions : [when.permissions],
    options,
    PERMISSION,
  );
  const compiledPrincipals = compileAll(principals.length > 0 ? principals : [when.principals], options, PRINCIPAL);
  if (compiledPermissions === undefined || compiledPrincipals === undefined) return undefined;
  return { permissions: compiledPermissions, principals: compiledPrincipals };
}

function alternatives<E, T>(entries: readonly E[] | undefined, clauses: (entry: E) => T[]): T[][] {
  return (entries ?? []).map(clauses);
}

function operation(to: security.Operation | undefined): Clause<Permission>[] {
  if (to === undefined) return [];
  return clauses<Permission>([
    [conditions.host, to.hosts, to.notHosts],
    [conditions.method, to.methods, to.notMethods],
    [conditions.path, to.paths, to.notPaths],
    [conditions.destinationPort, to.ports, to.notPorts],
  ]);
}

function source(from: security.Source | undefined, options: RuleOptions): Clause<Principal>[] {
  if (from === undefined) return [];
  const aliases = (values: readonly string[] | undefined): readonly string[] =>
    withTrustDomainAliases(values ?? [], options.trustDomains);
  return clauses<Principal>([
    [conditions.sourcePrincipal, aliases(from.principals), aliases(from.notPrincipals)],
    [conditions.requestPrincipal, from.requestPrincipals, from.notRequestPrincipals],
    [conditions.sourceServiceAccount, from.serviceAccounts, from.notServiceAccounts],
    [conditions.sourceTrustDomain, from.trustDomains, from.notTrustDomains],
    [conditions.sourceNamespace, from.namespaces, from.notNamespaces],
    [conditions.remoteIp, from.remoteIpBlocks, from.notRemoteIpBlocks],
    [conditions.sourceIp, from.ipBlocks, from.notIpBlocks],
  ]);
}

interface When {
  readonly permissions: readonly Clause<Permission>[];
  readonly principals: readonly Clause<Principal>[];
}

function compileWhen(when: readonly security.Condition[], options: RuleOptions): When | undefined {
  const permissions: Clause<Permission>[] = [];
  const principals: Clause<Principal>[] = [];
  for (const { key = '', values = [], notValues = [] } of when) {
    const permission = permissionFor(key);
    const principal = permission === undefined ? principalFor(key) : undefined;
    if (permission === undefined && principal === undefined) return undefined;
    if (values.length === 0 && notValues.length === 0) continue;
    if (permission !== undefined) permissions.push({ condition: permission, values, notValues });
    if (principal !== undefined) {
      const identities = key === 'source.principal';
      principals.push({
        condition: principal,
        values: identities ? withTrustDomainAliases(values, options.trustDomains) : values,
        notValues: identities ? withTrustDomainAliases(notValues, options.trustDomains) : notValues,
      });
    }
  }
  return { permissions, principals };
}

function permissionFor(key: string): Condition<Permission> | undefined {
  switch (key) {
    case 'destination.ip':
      return conditions.destinationIp;
    case 'destination.port':
      return conditions.destinationPort;
    case 'connection.sni':
      return conditions.serverName;
    default:
      return key.startsWith('experimental.envoy.filters.') ? conditions.envoyFilterMetadata(key) : undefined;
  }
}

function principalFor(key: string): Condition<Principal> | undefined {
  switch (key) {
    case 'source.ip':
      return conditions.sourceIp;
    case 'remote.ip':
      return conditions.remoteIp;
    case 'source.namespace':
      return conditions.sourceNamespace;
    case 'source.serviceAccount':
      return conditions.sourceServiceAccount;
    case 'source.trustDomain':
      return conditions.sourceTrustDomain;
    case 'source.principal':
      return conditions.sourcePrincipal;
    case 'request.auth.principal':
      return conditions.requestPrincipal;
    case 'request.auth.audiences':
      return conditions.tokenClaim(['aud']);
    case 'request.auth.presenter':
      return conditions.tokenClaim(['azp']);
  }
  if (key.startsWith('request.headers')) {
    const names = brackets(key.slice('request.headers'.length));
    return conditions.requestHeader(names.length === 1 ? names[0] : undefined);
  }
  if (key.startsWith('request.auth.claims'))
    return conditions.tokenClaim(brackets(key.slice('request.auth.claims'.length)));
  return undefined;
}

/** `[a][b]` → `a`, `b`; nothing when it is not of that form. */
function brackets(text: string): string[] {
  return /^(\[[^[\]]+\])+$/.test(text) ? text.slice(1, -1).split('][') : [];
}

function clauses<T>(
  entries: readonly (readonly [Condition<T>, readonly string[] | undefined, readonly string[] | undefined])[],
): Clause<T>[] {
  return entries.flatMap(([condition, values = [], notValues = []]) =>
    values.length === 0 && notValues.length === 0 ? [] : [{ condition, values, notValues }],
  );
}

/** How the two halves of a policy combine their parts: the same logic under different names. */
interface Algebra<T> {
  readonly any: T;
  and(parts: readonly T[]): T;
  or(parts: readonly T[]): T;
  not(part: T): T;
}

const PERMISSION: Algebra<Permission> = {
  any: { any: true },
  and: (rules) => ({ andRules: { rules } }),
  or: (rules) => ({ orRules: { rules } }),
  not: (notRule) => ({ notRule }),
};

const PRINCIPAL: Algebra<Principal> = {
  any: { any: true },
  and: (ids) => ({ andIds: { ids } }),
  or: (ids) => ({ orIds: { ids } }),
  not: (notId) => ({ notId }),
};

function compileAll<T>(
  lists: readonly (readonly Clause<T>[])[],
  options: RuleOptions,
  algebra: Algebra<T>,
): readonly T[] | undefined {
  const out: T[] = [];
  for (const list of lists) {
    const parts: T[] = [];
    for (const clause of list) {
      for (const [values, negate] of [
        [clause.values, false],
        [clause.notValues, true],
      ] as const) {
        if (values.length === 0) continue;
        const part = compileValues(clause.condition, values, options, algebra);
        if (part === 'unchecked' && options.action === 'ALLOW') return undefined;
        if (part === 'unchecked' || part === undefined) continue;
        parts.push(negate ? algebra.not(part) : part);
      }
    }
    out.push(algebra.and(parts.length > 0 ? parts : [algebra.any]));
  }
  return out;
}

function compileValues<T>(
  condition: Condition<T>,
  values: readonly string[],
  options: RuleOptions,
  algebra: Algebra<T>,
): T | 'unchecked' | undefined {
  if ('all' in condition) return condition.all(values, options) ?? 'unchecked';
  const parts: T[] = [];
  for (const value of values) {
    const part = condition.one(value, options);
    if (part !== undefined) parts.push(part);
    else if (options.action === 'ALLOW') return 'unchecked';
  }
  return parts.length > 0 ? algebra.or(parts) : undefined;
}

import type { JsonObject, types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import type { ConnectionInfo, RequestHead, StreamInfo, Trace, TraceStep } from '../../types.ts';
import { compileCondition } from './condition.ts';
import { compilePermission } from './permission.ts';
import { compilePrincipal } from './principal.ts';
import { any, failing, never, type Rule } from './rule.ts';

/** What an engine found. One object per policy, made when it was compiled. */
export interface Verdict {
  readonly allowed: boolean;
  /** Policy that matched; empty when none did. */
  readonly policy: string;
  /** `rbac_access_denied_matched_policy[NAME]`, with `none` for no policy. */
  readonly details: string;
  /** Whether an access log should take notice; undefined: nobody asked for that. */
  readonly logHint?: boolean;
  /** Dynamic metadata that says so. */
  readonly metadata: JsonObject;
  /** The same joined to what was there before. */
  readonly after: WeakMap<JsonObject, JsonObject>;
}

interface Policy {
  readonly name: string;
  readonly permissions: Rule;
  readonly principals: Rule;
  /** An expression that must hold, too. */
  readonly condition: Rule | undefined;
  readonly verdict: Verdict;
}

export interface RbacEngine {
  readonly action: 'ALLOW' | 'DENY' | 'LOG';
  evaluate(connection: ConnectionInfo, request: RequestHead, info: StreamInfo | undefined): Verdict;
  /** The same, saying for each policy in words why it matched or not. */
  explain(
    connection: ConnectionInfo,
    request: RequestHead,
    info: StreamInfo | undefined,
    trace: Trace,
    place: TraceStep['xds'],
  ): Verdict;
}

/** How the metadata of a verdict is named: `shadow_effective_policy_id`, say. */
export interface VerdictNames {
  readonly policy: string;
  readonly result: string;
}

export function compileRbac(
  context: CompileContext,
  rbac: types.rbac.RBAC,
  names: VerdictNames,
  path: Path,
): RbacEngine {
  const action = rbac.action ?? 'ALLOW';
  const allowedWhenMatched = action !== 'DENY';
  const allowedOtherwise = action !== 'ALLOW';
  // Policies are tried in the order of their names, and the first that matches is the one that is reported.
  const policies = Object.keys(rbac.policies ?? {})
    .sort(byBytes)
    .map((name): Policy => {
      const policy = rbac.policies![name]!;
      const at = [...path, 'policies', name];
      return {
        name,
        permissions: any(
          (policy.permissions ?? []).map((permission, i) =>
            compilePermission(context, permission, [...at, 'permissions', i]),
          ),
        ),
        principals: any(
          (policy.principals ?? []).map((principal, i) =>
            compilePrincipal(context, principal, [...at, 'principals', i]),
          ),
        ),
        condition: compileCondition(context, policy, at),
        verdict: verdict(names, allowedWhenMatched, name, action === 'LOG' ? true : undefined),
      };
    });
  const otherwise = verdict(names, allowedOtherwise, '', action === 'LOG' ? false : undefined);
  return {
    action,
    evaluate(connection, request, info) {
      for (let i = 0; i < policies.length; i++) {
        const policy = policies[i]!;
        if (
          policy.permissions.test(connection, request, info) &&
          policy.principals.test(connection, request, info) &&
          policy.condition?.test(connection, request, info) !== false
        )
          return policy.verdict;
      }
      return otherwise;
    },
    explain(connection, request, info, trace, place) {
      for (const policy of policies) {
        const { permissions, principals, condition, name } = policy;
        const at = place === undefined ? undefined : { ...place, path: [...place.path, 'policies', name] };
        const reasons = [permissions, principals, ...(condition === undefined ? [] : [condition])]
          .filter((rule) => !rule.test(connection, request, info))
          .map((rule) => failing(rule, connection, request, info));
        if (reasons.length === 0) {
          trace.push({
            kind: 'policy',
            matched: true,
            text: `policy "${name}" matches: ${permissions.text}; from: ${principals.text}`,
            xds: at,
          });
          return policy.verdict;
        }
        const empty = permissions === never || principals === never;
        const why = empty ? 'matches nothing' : `does not match, because not: ${reasons.join('; not: ')}`;
        trace.push({ kind: 'policy', matched: false, text: `policy "${name}" ${why}`, xds: at });
      }
      return otherwise;
    },
  };
}

export function verdict(names: VerdictNames, allowed: boolean, policy: string, logHint?: boolean): Verdict {
  const metadata: Record<string, string> = { [names.result]: allowed ? 'allowed' : 'denied' };
  if (policy !== '') metadata[names.policy] = policy;
  return {
    allowed,
    policy,
    details: `rbac_access_denied_matched_policy[${(policy === '' ? 'none' : policy).replace(/\s/g, '_')}]`,
    ...(logHint === undefined ? {} : { logHint }),
    metadata,
    after: new WeakMap(),
  };
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Where a verdict comes from: the policy that matched, or all of them. */
export function placeOf(verdict: Verdict, rules: TraceStep['xds']): TraceStep['xds'] {
  if (rules === undefined || verdict.policy === '') return rules;
  return { ...rules, path: [...rules.path, 'policies', verdict.policy] };
}

import type { Resource, security } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { Marks } from '../../listener/marks.ts';
import { defined } from '../typed.ts';
import { compileRule } from './rule.ts';

type Policy = Resource<security.AuthorizationPolicy>;
type Action = 'ALLOW' | 'DENY' | 'LOG';

/** What an RBAC filter, of HTTP or of TCP, is configured with. */
export interface CompiledPolicies {
  readonly rules?: types.rbac.RBAC;
  /** Evaluated and reported, never enforced: policies annotated `istio.io/dry-run: "true"`. */
  readonly shadowRules?: types.rbac.RBAC;
  readonly shadowRulesStatPrefix: string;
}

export interface AuthorizationOptions {
  readonly tcp: boolean;
  readonly trustDomains: readonly string[];
  readonly localPort: (port: number) => number;
  readonly marks: Marks;
}

/** CUSTOM policies of one provider. */
export interface CustomPolicies {
  readonly provider: string;
  readonly rules: types.rbac.RBAC;
  readonly dryRunRules: types.rbac.RBAC;
}

/** One entry per RBAC filter, in the order in which they run: AUDIT, DENY, ALLOW. CUSTOM: see `compileCustom`. */
export function compilePolicies(policies: readonly Policy[], options: AuthorizationOptions): CompiledPolicies[] {
  const filters: CompiledPolicies[] = [];
  for (const [wanted, action] of [
    ['AUDIT', 'LOG'],
    ['DENY', 'DENY'],
    ['ALLOW', 'ALLOW'],
  ] as const) {
    const chosen = policies.filter((policy) => (policy.spec.action ?? 'ALLOW') === wanted);
    if (chosen.length === 0) continue;
    const dryRun = chosen.filter(isDryRun);
    const enforced = chosen.filter((policy) => !isDryRun(policy));
    filters.push(
      defined({
        rules: enforced.length > 0 ? compileSet(enforced, action, '', options) : undefined,
        shadowRules: dryRun.length > 0 ? compileSet(dryRun, action, '', options) : undefined,
        shadowRulesStatPrefix: dryRun.length > 0 && action === 'DENY' ? 'istio_dry_run_deny_' : 'istio_dry_run_allow_',
      }),
    );
  }
  return filters;
}

/** CUSTOM policies by provider, in the order of the providers' names. */
export function compileCustom(policies: readonly Policy[], options: AuthorizationOptions): CustomPolicies[] {
  const custom = policies.filter((policy) => policy.spec.action === 'CUSTOM');
  const providers = [...new Set(custom.map((policy) => policy.spec.provider?.name ?? ''))].toSorted();
  return providers.map((provider) => {
    const own = custom.filter((policy) => (policy.spec.provider?.name ?? '') === provider);
    const prefix = provider === '' ? 'istio-ext-authz-' : `istio-ext-authz-${provider}-`;
    return {
      provider,
      rules: compileSet(
        own.filter((policy) => !isDryRun(policy)),
        'DENY',
        prefix,
        options,
      ),
      dryRunRules: compileSet(own.filter(isDryRun), 'DENY', prefix, options),
    };
  });
}

/** `rules` as plain denials, for when what should decide is not there. */
export function denyInstead(rules: types.rbac.RBAC): types.rbac.RBAC {
  const entries = Object.entries(rules.policies ?? {});
  return {
    action: 'DENY',
    policies: Object.fromEntries(entries.map(([name, policy]) => [`${name}-deny-due-to-bad-CUSTOM-action`, policy])),
  };
}

export function hasPolicies(rules: types.rbac.RBAC): boolean {
  return Object.keys(rules.policies ?? {}).length > 0;
}

function compileSet(
  policies: readonly Policy[],
  action: Action,
  prefix: string,
  options: AuthorizationOptions,
): types.rbac.RBAC {
  const compiled: Record<string, types.rbac.Policy> = {};
  for (const policy of policies) {
    const { namespace, name } = policy.metadata;
    const rules = policy.spec.rules ?? [];
    const id = (index: number): string => `${prefix}ns[${namespace}]-policy[${name}]-rule[${index}]`;
    if (rules.length === 0) compiled[id(0)] = options.marks.mark(matchNothing(), policy, ['spec']);
    for (const [index, rule] of rules.entries()) {
      const made = compileRule(rule, { ...options, namespace, action });
      if (made !== undefined) compiled[id(index)] = options.marks.mark(made, policy, ['spec', 'rules', index]);
    }
  }
  return defined({
    action: action === 'ALLOW' ? undefined : action,
    policies: Object.keys(compiled).length > 0 ? compiled : undefined,
  });
}

/** A policy without rules: it exists, so that ALLOW denies what no other policy allows, and matches nothing. */
function matchNothing(): types.rbac.Policy {
  return { permissions: [{ notRule: { any: true } }], principals: [{ notId: { any: true } }] };
}

/** As Go's strconv.ParseBool reads the annotation. */
function isDryRun(policy: Policy): boolean {
  const value = policy.metadata.annotations?.['istio.io/dry-run'] ?? '';
  return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value);
}

import type { types } from '@mizzen/xds';
import { filterStateOf } from '../../filter-state/state.ts';
import { originalUri } from '../../http/original-uri.ts';
import type { CompileContext } from '../../program/context.ts';
import { pathOnly } from '../../program/match/query.ts';
import type { Path } from '../../program/path.ts';
import type { Counter } from '../../program/types.ts';
import type { Condition } from '../../program/route/condition.ts';
import { compileMatch } from '../../program/route/match.ts';
import { wire } from '../../program/values.ts';
import type { HttpFilter, HttpStream, Trace } from '../../types.ts';
import type { FilterScope } from '../scope.ts';
import { compileProvider, type Provider } from './provider.ts';
import { jwtPerRoute } from './per-route.ts';
import { compileRequirement, type Requirement } from './requirement.ts';
import { Status } from './status.ts';

interface Rule {
  readonly conditions: readonly Condition[];
  /** Undefined: matching requests need no token. */
  readonly requirement: Requirement | undefined;
}

/** Checks JSON web tokens. Requests wait only for keys that must be fetched first. */
export function jwtFilter(
  context: CompileContext,
  config: types.jwtAuthn.JwtAuthentication,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const prefix = config.statPrefix === undefined || config.statPrefix === '' ? '' : `${config.statPrefix}.`;
  const counter = (name: string): Counter => scope.counter(`jwt_authn.${prefix}${name}`);
  const counters = {
    success: counter('jwks_fetch_success'),
    failed: counter('jwks_fetch_failed'),
    missed: counter('jwt_cache_miss'),
    hit: counter('jwt_cache_hit'),
  };
  const providers = new Map<string, Provider>();
  const configured = Object.entries(config.providers ?? {});
  for (const [name, provider] of configured) {
    const at = [...path, 'providers', name];
    providers.set(name, compileProvider(context, name, provider, at, counters, configured.length === 1));
  }
  const named = new Map<string, Requirement>();
  for (const [name, requirement] of Object.entries(config.requirementMap ?? {})) {
    named.set(name, compileRequirement(context, requirement, providers, [...path, 'requirementMap', name]));
  }
  const rules = (config.rules ?? []).map((rule, i) =>
    compileRule(context, rule, providers, named, [...path, 'rules', i]),
  );
  const byState = Object.entries(config.filterStateRules?.requires ?? {}).map(
    ([value, requirement]) =>
      [
        wire(value),
        compileRequirement(context, requirement, providers, [...path, 'filterStateRules', 'requires', value]),
      ] as const,
  );
  const stateName = config.filterStateRules?.name ?? '';
  const requirementOf = new Map(byState);
  const ownHeaders = [...providers.values()].flatMap((provider) => provider.ownHeaders);
  const bypassPreflight = config.bypassCorsPreflight === true;
  const strip = config.stripFailureResponse === true;
  const allowed = counter('allowed');
  const denied = counter('denied');
  const bypassed = counter('cors_preflight_bypassed');
  const { random } = context.deps;

  const names = [...named.keys()].sort().join(',');

  /** A text: why there is none where there must be one. */
  const find = (stream: HttpStream): Requirement | string | undefined => {
    const perRoute = jwtPerRoute.mostSpecific(stream, scope.name);
    if (perRoute !== undefined) {
      if (perRoute.disabled) return undefined;
      const { requirementName: name } = perRoute;
      return named.get(name) ?? `Wrong requirement_name: ${name}. It should be one of [${names}]`;
    }
    const only = pathOnly(stream.request.path);
    for (const rule of rules) {
      if (rule.conditions.every((condition) => condition.test(stream.request, only, stream.info, random)))
        return rule.requirement;
    }
    if (requirementOf.size === 0) return undefined;
    const chosen = filterStateOf(stream.info, stateName);
    return chosen?.isString === true ? requirementOf.get(chosen.value) : undefined;
  };
  const finish = (stream: HttpStream, realm: string, status: Status): undefined | 'stop' => {
    if (status === Status.Ok) {
      allowed.value++;
      return undefined;
    }
    denied.value++;
    const details = detailsOf(status);
    const code = status === Status.AudienceNotAllowed ? 403 : 401;
    if (strip) stream.sendLocalReply(code, '', details, 0);
    else {
      const error = status === Status.Missed ? '' : ', error="invalid_token"';
      stream.sendLocalReply(code, status, details, 0, [['www-authenticate', `Bearer realm="${realm}"${error}`]]);
    }
    return 'stop';
  };

  return {
    name: scope.name,
    onRequest(stream, trace) {
      const { request } = stream;
      // Whether a token is asked for or not: nobody else may say what tokens do.
      for (const header of ownHeaders) request.headers.remove(header);
      if (bypassPreflight && isPreflight(stream)) {
        bypassed.value++;
        allowed.value++;
        return undefined;
      }
      const requirement = find(stream);
      if (requirement === undefined) {
        allowed.value++;
        return undefined;
      }
      if (typeof requirement === 'string') {
        denied.value++;
        trace?.push({ kind: 'jwt', matched: false, text: `JWT: ${requirement}` });
        const body = strip ? '' : wire(`Failed JWT authentication: ${requirement}`);
        stream.sendLocalReply(403, body, wire(detailsOf(requirement)), 0);
        return 'stop';
      }
      const realm = originalUri(request);
      const status = requirement.check(stream);
      if (trace !== undefined)
        return traced(trace, requirement, status, scope, path) ?? finish(stream, realm, status as Status);
      return status instanceof Promise ? status.then((s) => finish(stream, realm, s)) : finish(stream, realm, status);
    },
  };
}

function detailsOf(why: string): string {
  return `jwt_authn_access_denied{${why.replaceAll(' ', '_')}}`;
}

/** Offline nothing is fetched: a request that needs remote keys is taken to be good. */
function traced(
  trace: Trace,
  requirement: Requirement,
  status: Status | Promise<Status>,
  scope: FilterScope,
  path: Path,
): Promise<undefined> | undefined {
  const waits = status instanceof Promise;
  trace.push({
    kind: 'jwt',
    matched: waits ? undefined : status === Status.Ok,
    text: `JWT: needs ${requirement.text}: ${waits ? 'depends on keys that must be fetched' : status}`,
    xds: { type: 'listener', resource: scope.place.resource, path },
  });
  return waits ? Promise.resolve(undefined) : undefined;
}

function isPreflight({ request: { method, headers } }: HttpStream): boolean {
  return (
    method === 'OPTIONS' &&
    (headers.get('origin') ?? '') !== '' &&
    (headers.get('access-control-request-method') ?? '') !== ''
  );
}

function compileRule(
  context: CompileContext,
  rule: types.jwtAuthn.RequirementRule,
  providers: ReadonlyMap<string, Provider>,
  named: ReadonlyMap<string, Requirement>,
  path: Path,
): Rule {
  const { conditions } = compileMatch(context, rule.match ?? {}, [...path, 'match'], { ignorePathParameters: false });
  if (rule.requirementName !== undefined && rule.requirementName !== '') {
    const requirement = named.get(rule.requirementName);
    if (requirement === undefined)
      context.refuse([...path, 'requirementName'], `there is no requirement \`${rule.requirementName}\``);
    return { conditions, requirement };
  }
  if (rule.requires === undefined) return { conditions, requirement: undefined };
  return { conditions, requirement: compileRequirement(context, rule.requires, providers, [...path, 'requires']) };
}

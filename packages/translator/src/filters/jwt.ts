import type { Resource, security } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { Build } from '../listener/build.ts';
import { duration } from '../duration.ts';
import { outboundCluster } from '../names.ts';
import { noKeys } from './no-keys.ts';
import { defined, extension } from './typed.ts';

type Provider = types.jwtAuthn.JwtProvider;
type Requirement = types.jwtAuthn.JwtRequirement;

interface Rule {
  readonly rule: security.JWTRule;
  readonly resource: Resource<security.RequestAuthentication>;
  readonly index: number;
}

/** Claims whose text is a list, separated by spaces. */
const SPACE_DELIMITED = ['permission', 'scope'];

/**
 * RequestAuthentications as one jwt_authn filter: every token that is there must be valid; whether there must be one is
 * the authorization policies' business, unless a rule says so itself (`presence`). The payload goes to dynamic metadata, where they find the claims.
 */
export function jwtFilter(build: Build): readonly types.hcm.HttpFilter[] {
  const rules = build.policies.requestAuthentication
    .flatMap((resource): Rule[] => (resource.spec.jwtRules ?? []).map((rule, index) => ({ rule, resource, index })))
    .toSorted((a, b) => compare(a.rule.issuer ?? '', b.rule.issuer ?? ''));
  if (rules.length === 0) return [];
  const providers: Record<string, Provider> = {};
  const tokens = rules.map(({ rule, resource, index }, position) => {
    const name = `origins-${position}`;
    providers[name] = build.marks.mark(provider(build, rule), resource, ['spec', 'jwtRules', index]);
    return { name, required: rule.presence === 'REQUIRED' };
  });
  return [
    extension('envoy.filters.http.jwt_authn', 'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication', {
      providers,
      rules: [{ match: { prefix: '/' }, requires: requirement(tokens) }],
      bypassCorsPreflight: true,
    }),
  ];
}

interface Token {
  readonly name: string;
  readonly required: boolean;
}

/**
 * With one provider: valid, or missing. With several: any one is valid, or for each one: valid, or missing. The second
 * half refuses a bad token; the first helps where providers look in the same place, so that all but one must fail.
 */
function requirement(tokens: readonly Token[]): Requirement {
  const each = tokens.map(({ name: providerName, required }): Requirement =>
    required ? { providerName } : { requiresAny: { requirements: [{ providerName }, { allowMissing: {} }] } },
  );
  const [only] = each;
  if (each.length === 1 && only !== undefined) return only;
  const all: Requirement = { requiresAll: { requirements: each } };
  // No other token stands in for one that there must be.
  if (tokens.some(({ required }) => required)) return all;
  return { requiresAny: { requirements: [...tokens.map(({ name }) => ({ providerName: name })), all] } };
}

function provider(build: Build, rule: security.JWTRule): Provider {
  const claims = new Set([...SPACE_DELIMITED, ...(rule.spaceDelimitedClaims ?? [])]);
  return defined({
    issuer: rule.issuer,
    audiences: nonEmpty(rule.audiences),
    forward: rule.forwardOriginalToken === true ? true : undefined,
    forwardPayloadHeader: rule.outputPayloadToHeader,
    payloadInMetadata: 'payload',
    normalizePayloadInMetadata: { spaceDelimitedClaims: [...claims].toSorted() },
    claimToHeaders: nonEmpty(
      rule.outputClaimToHeaders?.map(({ header, claim }) => ({ headerName: header, claimName: claim })),
    ),
    fromHeaders: nonEmpty(rule.fromHeaders?.map(({ name, prefix }) => defined({ name, valuePrefix: prefix }))),
    fromParams: nonEmpty(rule.fromParams),
    fromCookies: nonEmpty(rule.fromCookies),
    ...keys(build, rule),
  });
}

/** Inline keys as they are; others from their URI through the cluster of its host. */
function keys(build: Build, rule: security.JWTRule): Pick<Provider, 'localJwks' | 'remoteJwks'> {
  const uri = rule.jwksUri ?? '';
  if (uri === '') return { localJwks: { inlineString: rule.jwks ?? noKeys(build.context, uri) } };
  const cluster = clusterFor(build, uri);
  if (cluster === undefined) return { localJwks: { inlineString: noKeys(build.context, uri) } };
  return {
    remoteJwks: { httpUri: { uri, cluster, timeout: duration(rule.timeout) ?? '5s' }, cacheDuration: '300s' },
  };
}

function clusterFor(build: Build, uri: string): string | undefined {
  if (!URL.canParse(uri)) return undefined;
  const { hostname, port, protocol } = new URL(uri);
  const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  const { model, proxy } = build.context;
  const service =
    model.serviceFor(hostname, proxy.namespace) ??
    model.serviceFor(model.resolveHost(hostname, proxy.namespace), proxy.namespace);
  if (service === undefined || !service.ports.some((p) => p.port === number)) return undefined;
  return outboundCluster(number, '', service.hostname);
}

function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

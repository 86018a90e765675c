import type { types } from '@mizzen/xds';
import { cidrRange } from './addresses.ts';
import { ANY_VALUE, headerMatcher, hostMatcher, quoteRegex, stringMatcher, wildcardRegex } from './strings.ts';

type Permission = types.rbac.Permission;
type Principal = types.rbac.Principal;
type ValueMatcher = types.matcher.ValueMatcher;

/** What a condition is compiled for. */
export interface Target {
  /** A TCP filter chain, which knows nothing of requests. */
  readonly tcp: boolean;
  /** Namespace of the policy, for service accounts written without one. */
  readonly namespace: string;
  /** The port that connections to what a policy calls `port` come in on. */
  readonly localPort: (port: number) => number;
}

/**
 * One kind of condition. `one` compiles a single value; values are alternatives. `all` compiles a list at once, where
 * Istio has a matcher for that. Either gives undefined when the value cannot be checked: it is malformed, or it is
 * about a request and the target is TCP.
 */
export type Condition<T> =
  | { readonly one: (value: string, target: Target) => T | undefined }
  | { readonly all: (values: readonly string[], target: Target) => T | undefined };

const JWT_FILTER = 'envoy.filters.http.jwt_authn';
const JWT_PAYLOAD = 'payload';

const http =
  <T>(compile: (value: string) => T | undefined) =>
  (value: string, target: Target): T | undefined =>
    target.tcp ? undefined : compile(value);

// ---- conditions on what is asked for (permissions) -----------------------------------------------------------------

export const destinationIp: Condition<Permission> = {
  one: (value) => fromCidr(value, (range) => ({ destinationIp: range })),
};

export const destinationPort: Condition<Permission> = {
  one: (value, target) =>
    /^\d{1,5}$/.test(value) && Number(value) <= 65535
      ? { destinationPort: target.localPort(Number(value)) }
      : undefined,
};

export const serverName: Condition<Permission> = { one: (value) => ({ requestedServerName: stringMatcher(value) }) };

export const host: Condition<Permission> = { one: http((value) => ({ header: hostMatcher(value) })) };

export const method: Condition<Permission> = { one: http((value) => ({ header: headerMatcher(':method', value) })) };

export const path: Condition<Permission> = {
  one: http((value) =>
    value.includes('{*}') || value.includes('{**}')
      ? {
          uriTemplate: {
            name: 'uri-template',
            typedConfig: {
              '@type': 'type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig',
              pathTemplate: value.replaceAll('{*}', '*').replaceAll('{**}', '**'),
            },
          },
        }
      : { urlPath: { path: stringMatcher(value) } },
  ),
};

/** `experimental.envoy.filters.a.b[c]`: dynamic metadata `c` of filter `envoy.filters.a.b`; `[v]` looks into a list. */
export function envoyFilterMetadata(key: string): Condition<Permission> {
  const [filter, name] = splitBracket(key.slice('experimental.'.length));
  const valueMatcher = (value: string): ValueMatcher =>
    value.startsWith('[') && value.endsWith(']')
      ? { listMatch: { oneOf: { stringMatch: stringMatcher(value.slice(1, -1)) } } }
      : { stringMatch: stringMatcher(value) };
  return {
    all: (values) =>
      name === undefined
        ? undefined
        : { metadata: { filter, path: [{ key: name }], value: anyOf(values.map(valueMatcher)) } },
  };
}

// ---- conditions on who asks (principals) ----------------------------------------------------------------------------

export const sourceIp: Condition<Principal> = {
  one: (value) => fromCidr(value, (range) => ({ directRemoteIp: range })),
};

export const remoteIp: Condition<Principal> = { one: (value) => fromCidr(value, (range) => ({ remoteIp: range })) };

export const sourceNamespace: Condition<Principal> = {
  one: (value) => authenticated({ safeRegex: { regex: `.*/ns/${wildcardRegex(value)}/.*` } }),
};

/** `name`, in the policy's namespace, or `namespace/name`. */
export const sourceServiceAccount: Condition<Principal> = {
  one: (value, target) => {
    const slash = value.indexOf('/');
    const namespace = slash < 0 ? target.namespace : value.slice(0, slash);
    const name = slash < 0 ? value : value.slice(slash + 1);
    return authenticated({
      safeRegex: { regex: `spiffe://.+/ns/${quoteRegex(namespace)}/(.+/|)sa/${quoteRegex(name)}(/.+)?` },
    });
  },
};

export const sourceTrustDomain: Condition<Principal> = {
  one: (value) => authenticated({ safeRegex: { regex: `spiffe://${wildcardRegex(value)}/.*` } }),
};

export const sourcePrincipal: Condition<Principal> = {
  one: (value) => authenticated(stringMatcher(value, 'spiffe://')),
};

/** `issuer/subject` of the request's token; the last slash separates them, because an issuer may be a URL. */
export const requestPrincipal: Condition<Principal> = {
  all: (values, target) => {
    if (target.tcp) return undefined;
    const alternatives = values.map((value): Principal => {
      const { issuer, subject } = issuerAndSubject(value);
      return {
        andIds: {
          ids: [
            { metadata: claim(['iss'], { stringMatch: issuer }) },
            { metadata: claim(['sub'], { stringMatch: subject }) },
          ],
        },
      };
    });
    return alternatives.length === 1 ? alternatives[0] : { orIds: { ids: alternatives } };
  },
};

/** A claim of the request's token, by its path: a string that matches, or a list with one that does. */
export function tokenClaim(claimPath: readonly string[]): Condition<Principal> {
  return {
    all: (values, target) => {
      if (target.tcp || claimPath.length === 0) return undefined;
      const value = anyOf(values.map((text) => ({ stringMatch: stringMatcher(text) })));
      return { metadata: claim(claimPath, { orMatch: { valueMatchers: [{ listMatch: { oneOf: value } }, value] } }) };
    },
  };
}

export function requestHeader(name: string | undefined): Condition<Principal> {
  return { one: http((value) => (name === undefined ? undefined : { header: headerMatcher(name, value) })) };
}

// ---- parts ---------------------------------------------------------------------------------------------------------

function authenticated(principalName: types.matcher.StringMatcher): Principal {
  return { authenticated: { principalName } };
}

function claim(claimPath: readonly string[], value: ValueMatcher): types.matcher.MetadataMatcher {
  return { filter: JWT_FILTER, path: [JWT_PAYLOAD, ...claimPath].map((key) => ({ key })), value };
}

function anyOf(matchers: readonly ValueMatcher[]): ValueMatcher {
  const [first] = matchers;
  return matchers.length === 1 && first !== undefined ? first : { orMatch: { valueMatchers: matchers } };
}

function issuerAndSubject(value: string): {
  issuer: types.matcher.StringMatcher;
  subject: types.matcher.StringMatcher;
} {
  if (value === '*') return { issuer: ANY_VALUE, subject: ANY_VALUE };
  const slash = value.lastIndexOf('/');
  const issuer = slash < 0 ? value : value.slice(0, slash);
  const subject = slash < 0 ? '' : value.slice(slash + 1);
  if (value.startsWith('*')) {
    if (slash < 0) return { issuer: ANY_VALUE, subject: { suffix: value.slice(1) } };
    return { issuer: issuer === '*' ? ANY_VALUE : { suffix: issuer.slice(1) }, subject: { exact: subject } };
  }
  if (value.endsWith('*')) {
    if (slash < 0) return { issuer: { prefix: value.slice(0, -1) }, subject: ANY_VALUE };
    return { issuer: { exact: issuer }, subject: subject === '*' ? ANY_VALUE : { prefix: subject.slice(0, -1) } };
  }
  return { issuer: { exact: issuer }, subject: { exact: subject } };
}

function fromCidr<T>(value: string, make: (range: types.core.CidrRange) => T): T | undefined {
  const range = cidrRange(value);
  return range === undefined ? undefined : make(range);
}

/** `a.b[c]` → `a.b` and `c`. */
function splitBracket(key: string): [string, string | undefined] {
  const open = key.indexOf('[');
  if (open < 0) return [key, undefined];
  return [key.slice(0, open), key.slice(open + 1).replace(/\]$/, '')];
}

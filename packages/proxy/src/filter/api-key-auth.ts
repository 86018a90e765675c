import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import { REQUEST_SINGLE } from '../codec/single-headers.ts';
import { noteName, noteValue, setHeader } from '../program/headers.ts';
import type { Path } from '../program/path.ts';
import { asciiLower, wire } from '../program/values.ts';
import type { HttpFilter, HttpStream, RequestHead } from '../types.ts';
import { PerRouteKind } from './per-route-kind.ts';
import type { FilterScope } from './scope.ts';

interface KeySource {
  readonly header: string;
  readonly query: string;
  readonly cookie: string;
}

interface ApiKeys {
  /** Clients by key; undefined: nothing is said of them. */
  readonly clients: ReadonlyMap<string, string> | undefined;
  readonly sources: readonly KeySource[] | undefined;
  /** Undefined: every client that is known. */
  readonly allowed: ReadonlySet<string> | undefined;
  readonly forwarding: { readonly header: string; readonly hide: boolean } | undefined;
}

function compileApiKeys(context: CompileContext, config: types.apiKeyAuth.ApiKeyAuthPerRoute, path: Path): ApiKeys {
  const clients = new Map<string, string>();
  (config.credentials ?? []).forEach(({ key = '', client = '' }, i) => {
    const at = [...path, 'credentials', i];
    if (key === '') context.refuse([...at, 'key'], 'must not be empty');
    if (client === '') context.refuse([...at, 'client'], 'must not be empty');
    if (clients.has(wire(key))) context.refuse([...at, 'key'], 'is there twice');
    clients.set(wire(key), wire(client));
  });
  const sources = (config.keySources ?? []).map(({ header = '', query = '', cookie = '' }, i) => {
    if (header === '' && query === '' && cookie === '')
      context.refuse([...path, 'keySources', i], 'must name a header, a query parameter or a cookie');
    return { header: asciiLower(header), query: wire(query), cookie: wire(cookie) };
  });
  const { forwarding, allowedClients = [] } = config;
  return {
    clients: clients.size === 0 ? undefined : clients,
    sources: sources.length === 0 ? undefined : sources,
    allowed: allowedClients.length === 0 ? undefined : new Set(allowedClients.map(wire)),
    forwarding:
      forwarding === undefined
        ? undefined
        : { header: asciiLower(forwarding.header ?? ''), hide: forwarding.hideCredentials === true },
  };
}

export const apiKeyAuthPerRoute = new PerRouteKind(compileApiKeys);

/** Lets in who shows a key. What the route says replaces the filter's own, field by field. */
export function apiKeyAuthFilter(
  context: CompileContext,
  config: types.apiKeyAuth.ApiKeyAuth,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileApiKeys(context, config, path);
  const allowed = scope.counter('api_key_auth.allowed');
  const unauthorized = scope.counter('api_key_auth.unauthorized');
  const forbidden = scope.counter('api_key_auth.forbidden');
  return {
    name: scope.name,
    onRequest(stream, trace) {
      const route = apiKeyAuthPerRoute.mostSpecific(stream, scope.name);
      const clients = route?.clients ?? own.clients;
      const sources = route?.sources ?? own.sources;
      // What a route does not say of it is not taken from the filter.
      const { forwarding } = route ?? own;
      const refuse = (status: 401 | 403, body: string, details: string): 'stop' => {
        (status === 401 ? unauthorized : forbidden).value++;
        trace?.push({ kind: 'api-key', text: `API key: ${body}`, matched: false });
        stream.sendLocalReply(status, body, details, 0);
        return 'stop';
      };
      if (sources === undefined) return refuse(401, 'Client authentication failed.', 'missing_key_sources');
      if (clients === undefined) return refuse(401, 'Client authentication failed.', 'missing_credentials');
      const key = firstKey(stream.request, sources);
      if (key === '') return refuse(401, 'Client authentication failed.', 'missing_api_key');
      const client = clients.get(key);
      if (client === undefined) return refuse(401, 'Client authentication failed.', 'unknown_api_key');
      if (route?.allowed !== undefined && !route.allowed.has(client))
        return refuse(403, 'Client is forbidden.', 'client_not_allowed');
      allowed.value++;
      trace?.push({ kind: 'api-key', text: `API key: of client "${client}"`, matched: true });
      if (forwarding !== undefined) forward(stream, sources, forwarding, client);
      return undefined;
    },
  };
}

function forward(
  { request }: HttpStream,
  sources: readonly KeySource[],
  { header, hide }: NonNullable<ApiKeys['forwarding']>,
  client: string,
): void {
  if (header !== '') {
    setHeader(request.headers, header, client, REQUEST_SINGLE);
    noteName(request.headers, header);
  }
  if (!hide) return;
  for (const source of sources) {
    if (source.header !== '') request.headers.remove(source.header);
    else if (source.query !== '') removeParameter(request, source.query);
    else removeCookie(request, source.cookie);
  }
}

function firstKey(request: RequestHead, sources: readonly KeySource[]): string {
  for (const { header, query, cookie } of sources) {
    const key =
      header !== ''
        ? bearer(request.headers.get(header) ?? '')
        : query !== ''
          ? queryOf(request.path, query)
          : cookieOf(request, cookie);
    if (key !== '') return key;
  }
  return '';
}

function bearer(value: string): string {
  return value.startsWith('Bearer ') ? value.slice('Bearer '.length) : value;
}

function queryOf(path: string, name: string): string {
  return parameters(path).find(([key]) => key === name)?.[1] ?? '';
}

/** Names and values, decoded. */
function parameters(path: string): (readonly [string, string])[] {
  const query = /\?([^#]*)/.exec(path)?.[1] ?? '';
  if (query === '') return [];
  return query.split('&').map((pair) => {
    const equals = pair.indexOf('=');
    return equals < 0 ? [decoded(pair), ''] : [decoded(pair.slice(0, equals)), decoded(pair.slice(equals + 1))];
  });
}

function decoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** The others are written anew, as Envoy does: decoded, and in the order of their names. */
function removeParameter(request: RequestHead, name: string): void {
  const rest = parameters(request.path).filter(([key]) => key !== name);
  const sorted = rest.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const query = sorted.map(([key, value]) => `${key}=${value}`).join('&');
  request.path = `${/^[^?]*/.exec(request.path)![0]}${query === '' ? '' : `?${query}`}`;
  noteValue(request.headers, request.path);
}

interface Cookie {
  readonly name: string;
  readonly value: string;
}

function cookiesOf(header: string): Cookie[] {
  return header.split(';').flatMap((part) => {
    const text = part.trim();
    const equals = text.indexOf('=');
    if (equals < 0) return [];
    // Quotes are no part of a value.
    const value = text.slice(equals + 1).replace(/^"(.*)"$/, '$1');
    return [{ name: text.slice(0, equals), value }];
  });
}

function cookieOf(request: RequestHead, name: string): string {
  return allCookies(request).find((cookie) => cookie.name === name)?.value ?? '';
}

function allCookies(request: RequestHead): Cookie[] {
  return request.headers.getAll('cookie').flatMap(cookiesOf);
}

/** What is left is one field. */
function removeCookie(request: RequestHead, name: string): void {
  if (!request.headers.has('cookie')) return;
  const rest = allCookies(request).filter((cookie) => cookie.name !== name);
  request.headers.remove('cookie');
  if (rest.length > 0) request.headers.add('cookie', rest.map((cookie) => `${cookie.name}=${cookie.value}`).join('; '));
}

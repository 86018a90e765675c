import { crypto } from '../node-tls.ts';
import type { types } from '@mizzen/xds';
import { originalUri } from '../http/original-uri.ts';
import type { CompileContext } from '../program/context.ts';
import { noteName } from '../program/headers.ts';
import type { Path } from '../program/path.ts';
import { asciiLower, dataSource, wire } from '../program/values.ts';
import type { HttpFilter } from '../types.ts';
import { PerRouteKind } from './per-route-kind.ts';
import type { FilterScope } from './scope.ts';

/** SHA-1 of passwords by user, both as bytes on the wire. */
type Users = ReadonlyMap<string, Buffer>;

/** Reads `htpasswd -s` lines: `user:{SHA}base64`. */
function compileUsers(context: CompileContext, source: types.core.DataSource | undefined, path: Path): Users {
  const users = new Map<string, Buffer>();
  if (source === undefined) {
    context.refuse(path, 'must be there');
    return users;
  }
  if (source.inlineString === '' || source.inlineBytes === '') context.refuse(path, 'must not be empty');
  for (const line of (dataSource(context, source, path)?.toString('latin1') ?? '').split('\n')) {
    const text = line.replace(/\r$/, '');
    if (text === '') continue;
    const colon = text.indexOf(':');
    const [name, secret] = [text.slice(0, colon), text.slice(colon + 1)];
    if (colon < 0) context.refuse(path, `\`${text}\` has no colon`);
    else if (name === '' || secret === '') context.refuse(path, 'a user has no name or no password');
    else if (users.has(name)) context.refuse(path, `\`${name}\` is there twice`);
    else if (!secret.startsWith('{SHA}') || secret.length !== 5 + 28)
      context.refuse(path, `the password of \`${name}\` must be {SHA} and its hash in base64 (htpasswd -s)`);
    else users.set(name, Buffer.from(secret.slice(5), 'base64'));
  }
  return users;
}

const WHY = {
  no_credential_for_basic_auth: 'Missing username and password.',
  invalid_scheme_for_basic_auth: "Expected 'Basic' authentication scheme.",
  invalid_format_for_basic_auth: 'Invalid basic credential format.',
  invalid_credential_for_basic_auth: 'Invalid username/password combination.',
} as const;

interface BasicAuthOfRoute {
  readonly users: Users;
  /** What is to be said to be asked for; empty: the filter's own. */
  readonly realm: string;
}

export const basicAuthPerRoute = new PerRouteKind(
  (context, config: types.basicAuth.BasicAuthPerRoute, path): BasicAuthOfRoute => ({
    users: compileUsers(context, config.users, [...path, 'users']),
    realm: quotable(config.realm),
  }),
);

/** Asks for a user's name and password. The route's users replace its own. */
export function basicAuthFilter(
  context: CompileContext,
  config: types.basicAuth.BasicAuth,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileUsers(context, config.users, [...path, 'users']);
  const header = asciiLower(config.authenticationHeader ?? '') || 'authorization';
  const forward = asciiLower(config.forwardUsernameHeader ?? '');
  const ownRealm = quotable(config.realm);
  const allowed = scope.counter('basic_auth.allowed');
  const denied = scope.counter('basic_auth.denied');
  return {
    name: scope.name,
    onRequest(stream, trace) {
      const ofRoute = basicAuthPerRoute.mostSpecific(stream, scope.name);
      const credential = stream.request.headers.get(header);
      if (config.allowMissing === true && credential?.startsWith('Basic ') !== true) return undefined;
      const found = check(credential, ofRoute?.users ?? own);
      if ('user' in found) {
        allowed.value++;
        trace?.push({ kind: 'basic-auth', text: `basic authentication: user "${found.user}"`, matched: true });
        if (forward !== '') {
          stream.request.headers.set(forward, found.user);
          noteName(stream.request.headers, forward);
        }
        if (config.emitDynamicMetadata === true) stream.setMetadata(scope.name, { username: found.user });
        return undefined;
      }
      denied.value++;
      trace?.push({ kind: 'basic-auth', text: `basic authentication: ${WHY[found.why]}`, matched: false });
      stream.sendLocalReply(401, `User authentication failed. ${WHY[found.why]}`, found.why, 0, [
        [
          'www-authenticate',
          `Basic realm="${(ofRoute?.realm ?? '') || ownRealm || quoted(originalUri(stream.request))}"`,
        ],
      ]);
      return 'stop';
    },
  };
}

/** As it stands between quotes. */
function quotable(text = ''): string {
  return quoted(wire(text));
}

function quoted(text: string): string {
  return text.replaceAll(/["\\]/g, '\\$&');
}

function check(
  credential: string | undefined,
  users: Users,
): { readonly user: string } | { readonly why: keyof typeof WHY } {
  if (credential === undefined) return { why: 'no_credential_for_basic_auth' };
  if (!credential.startsWith('Basic ')) return { why: 'invalid_scheme_for_basic_auth' };
  const encoded = credential.slice('Basic '.length);
  // Node reads what is left of wrong base64; the rule is to read nothing of it.
  const decoded = /^[A-Za-z0-9+/]*={0,2}$/.test(encoded) ? Buffer.from(encoded, 'base64').toString('latin1') : '';
  const colon = decoded.indexOf(':');
  if (colon < 0) return { why: 'invalid_format_for_basic_auth' };
  const user = decoded.slice(0, colon);
  const wanted = users.get(user);
  const given = crypto().hash('sha1', Buffer.from(decoded.slice(colon + 1), 'latin1'), 'buffer');
  const same = wanted !== undefined && wanted.length === given.length && crypto().timingSafeEqual(wanted, given);
  return same ? { user } : { why: 'invalid_credential_for_basic_auth' };
}

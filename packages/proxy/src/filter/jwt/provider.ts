import type { JsonObject, JsonValue, types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import { noteName, noteValue } from '../../program/headers.ts';
import { compileString, type StringMatch } from '../../program/match/string.ts';
import { lookUp } from '../../program/match/value.ts';
import type { Path } from '../../program/path.ts';
import { asciiLower, dataSource, milliseconds, wire } from '../../program/values.ts';
import { sortedJson } from '../../telemetry/value-text.ts';
import { exactFixed, generalDouble, withDoubles } from '../../telemetry/double-text.ts';
import type { HttpStream } from '../../types.ts';
import { addMetadata } from '../metadata.ts';
import { compileLocations, findTokens, type FoundToken, type TokenLocation } from './extract.ts';
import { parseJwks, type Jwks } from './jwks.ts';
import { compileCoreRetry } from '../../program/route/retry.ts';
import { localKeys, remoteKeys, type KeyCounters, type KeySource } from './key-source.ts';
import { verifySignature } from './signature.ts';
import { Status, STATUS_CODES } from './status.ts';
import { TokenCache } from './token-cache.ts';
import { parseToken, type Token } from './token.ts';

export const METADATA = 'envoy.filters.http.jwt_authn';

/** Checks tokens of one issuer, and does with good ones what its configuration says. */
export interface Provider {
  readonly name: string;
  readonly text: string;
  /** Headers that only a good token may set. */
  readonly ownHeaders: readonly string[];
  readonly audiences: readonly string[];
  /** Empty: of anybody. */
  readonly issuer: string;
  readonly locations: readonly TokenLocation[];
  /** All tokens in its places must be good. */
  check(stream: HttpStream, audiences: readonly string[]): Status | Promise<Status>;
  /** A token that was found; what a good one brings about has happened when it is `Ok`. */
  judge(
    stream: HttpStream,
    token: Token,
    location: TokenLocation,
    audiences: readonly string[],
    /** Its signature has been verified before. */
    verified?: boolean,
  ): Status | Promise<Status>;
  /** Leaves word of a failure where `failedStatusInMetadata` says. */
  note(stream: HttpStream, status: Status): void;
}

/** `alone`: there is no other provider. Only then is a missing token known to be one of its own. */
export function compileProvider(
  context: CompileContext,
  name: string,
  config: types.jwtAuthn.JwtProvider,
  path: Path,
  counters: KeyCounters,
  alone: boolean,
): Provider {
  const keys = compileKeys(context, config, path, counters);
  const locations = compileLocations(config);
  const checkClaims = compileClaims(context, config, path);
  checkClaimNames(context, config, path);
  const accept = compileAcceptance(config);
  const seen = new TokenCache(config.jwtCacheConfig);
  const { clock } = context.deps;
  const failures = config.failedStatusInMetadata ?? '';

  /** Tokens are checked in turn, from the last; the first that is bad decides. */
  const from = (
    stream: HttpStream,
    audiences: readonly string[],
    tokens: readonly FoundToken[],
    index: number,
  ): Status | Promise<Status> => {
    for (let i = index; i < tokens.length; i++) {
      const { location, text } = tokens[i]!;
      const known = seen.find(text);
      if (known === undefined) counters.missed.value++;
      else counters.hit.value++;
      const token = known ?? parseToken(text);
      const status = typeof token === 'string' ? token : judge(stream, token, location, audiences, known !== undefined);
      if (status instanceof Promise)
        return status.then((s) => (s === Status.Ok ? from(stream, audiences, tokens, i + 1) : s));
      if (status !== Status.Ok) return status;
    }
    return tokens.length === 0 ? Status.Missed : Status.Ok;
  };
  const judge: Provider['judge'] = (stream, token, location, audiences, verified = false) => {
    const claims = checkClaims(token, audiences, Math.floor(clock.wall() / 1000));
    if (claims !== Status.Ok) return claims;
    if (verified) {
      accept(stream, token, location);
      return Status.Ok;
    }
    const finish = (jwks: Jwks | Status): Status => {
      if (typeof jwks === 'string') return jwks;
      const status = verifySignature(token, jwks);
      if (status !== Status.Ok) return status;
      seen.keep(token);
      accept(stream, token, location);
      return status;
    };
    const jwks = keys.keys();
    return jwks instanceof Promise ? jwks.then(finish) : finish(jwks);
  };
  const note = (stream: HttpStream, status: Status): void => {
    if (failures === '' || status === Status.Ok || (status === Status.Missed && !alone)) return;
    addMetadata(stream, METADATA, { [failures]: { code: STATUS_CODES[status], message: status } });
  };
  const noted = (stream: HttpStream, status: Status): Status => {
    note(stream, status);
    return status;
  };

  return {
    name,
    text: `provider "${name}" (issuer ${config.issuer === undefined || config.issuer === '' ? 'any' : `"${config.issuer}"`}, token in ${locations.map((l) => l.text).join(' or ')})`,
    audiences: config.audiences ?? [],
    issuer: config.issuer ?? '',
    locations,
    ownHeaders: [
      config.forwardPayloadHeader ?? '',
      ...(config.claimToHeaders ?? []).map((claim) => claim.headerName ?? ''),
    ]
      .filter((h) => h !== '')
      .map(asciiLower),
    check(stream, audiences) {
      const status = from(stream, audiences, findTokens(locations, stream.request).toReversed(), 0);
      return status instanceof Promise ? status.then((s) => noted(stream, s)) : noted(stream, status);
    },
    judge,
    note,
  };
}

function compileKeys(
  context: CompileContext,
  config: types.jwtAuthn.JwtProvider,
  path: Path,
  counters: KeyCounters,
): KeySource {
  if (config.localJwks !== undefined) {
    const bytes = dataSource(context, config.localJwks, [...path, 'localJwks']);
    // As in Envoy, an empty text is a set without keys.
    if (bytes === undefined || bytes.length === 0) return localKeys(Status.NoValidKeys);
    const jwks = parseJwks(bytes);
    if (typeof jwks !== 'string') return localKeys(jwks);
    context.refuse([...path, 'localJwks'], `has no keys to use: ${jwks}`);
    return localKeys(Status.NoValidKeys);
  }
  const remote = config.remoteJwks;
  if (remote === undefined) {
    context.refuse(path, 'must have `localJwks` or `remoteJwks`');
    return localKeys(Status.NoValidKeys);
  }
  const { cluster = '', uri = '' } = remote.httpUri ?? {};
  if (cluster === '') context.refuse([...path, 'remoteJwks', 'httpUri', 'cluster'], 'must not be empty');
  if (!ABSOLUTE.test(uri)) context.refuse([...path, 'remoteJwks', 'httpUri', 'uri'], 'must be an absolute URI');
  const source = remoteKeys(
    {
      cluster,
      uri,
      timeout: milliseconds(remote.httpUri?.timeout, 1000),
      // Whole seconds count.
      cacheDuration: Math.trunc(milliseconds(remote.cacheDuration, 600_000) / 1000) * 1000,
      inBackground: remote.asyncFetch !== undefined,
      failedRefetch: milliseconds(remote.asyncFetch?.failedRefetchDuration, 1000),
      retry:
        remote.retryPolicy === undefined
          ? undefined
          : compileCoreRetry(context, remote.retryPolicy, [...path, 'remoteJwks', 'retryPolicy']),
      counters,
    },
    context.deps,
  );
  context.beginnings.push(() => source.begin?.());
  return source;
}

const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]/i;

function compileClaims(
  context: CompileContext,
  config: types.jwtAuthn.JwtProvider,
  path: Path,
): (token: Token, audiences: readonly string[], now: number) => Status {
  const issuer = config.issuer ?? '';
  const skew = config.clockSkewSeconds === undefined || config.clockSkewSeconds === 0 ? 60 : config.clockSkewSeconds;
  const subjects: StringMatch | undefined =
    config.subjects === undefined ? undefined : compileString(context, config.subjects, [...path, 'subjects']);
  const maxLifetime = config.maxLifetime === undefined ? undefined : milliseconds(config.maxLifetime, 0) / 1000;
  const requireExpiration = config.requireExpiration === true;
  return (token, audiences, now) => {
    if (issuer !== '' && token.issuer !== issuer) return Status.UnknownIssuer;
    if (token.notBefore > now + skew) return Status.NotYetValid;
    if (token.expires !== 0 && now > token.expires + skew) return Status.Expired;
    if (
      audiences.length > 0 &&
      !token.audiences.some((audience) => audiences.some((a) => sanitized(a) === sanitized(audience)))
    ) {
      return Status.AudienceNotAllowed;
    }
    if (subjects !== undefined && !subjects.matches(wire(token.subject))) return Status.VerificationFail;
    if (requireExpiration && token.expires === 0) return Status.VerificationFail;
    if (maxLifetime !== undefined && (token.expires === 0 || token.expires - now > maxLifetime)) {
      return Status.VerificationFail;
    }
    return Status.Ok;
  };
}

/** `https://example.com/` and `example.com` are the same audience. */
function sanitized(audience: string): string {
  return audience.replace(/^https?:\/\//, '').replace(/\/$/, '');
}

function checkClaimNames(context: CompileContext, config: types.jwtAuthn.JwtProvider, path: Path): void {
  for (const [i, { claimName = '', claimPath: keys = [] }] of (config.claimToHeaders ?? []).entries()) {
    const at = [...path, 'claimToHeaders', i];
    if ((claimName === '') === (keys.length === 0)) context.refuse(at, 'must have one of `claimName` and `claimPath`');
    for (const [j, { key = '' }] of keys.entries()) {
      if (key === '') context.refuse([...at, 'claimPath', j, 'key'], 'must not be empty');
    }
  }
}

function claimPath({ claimName = '', claimPath: path = [] }: types.jwtAuthn.JwtClaimToHeader): readonly string[] {
  return path.length > 0 ? path.map(({ key = '' }) => key) : claimName.split('.');
}

/** What is done with a good token: headers, metadata, and leaving the token out. */
function compileAcceptance(
  config: types.jwtAuthn.JwtProvider,
): (stream: HttpStream, token: Token, location: TokenLocation) => void {
  const payloadHeader = asciiLower(config.forwardPayloadHeader ?? '');
  const pad = config.padForwardPayloadHeader === true;
  const claims = (config.claimToHeaders ?? []).map((claim) => ({
    header: asciiLower(claim.headerName ?? ''),
    path: claimPath(claim),
  }));
  const payloadKey = config.payloadInMetadata ?? '';
  const headerKey = config.headerInMetadata ?? '';
  const spaced = config.normalizePayloadInMetadata?.spaceDelimitedClaims ?? [];
  const forward = config.forward === true;
  const clear = config.clearRouteCache === true;
  return (stream, token, location) => {
    const { headers } = stream.request;
    if (payloadHeader !== '') {
      noteName(headers, payloadHeader);
      headers.add(
        payloadHeader,
        pad ? token.payloadText.padEnd(Math.ceil(token.payloadText.length / 4) * 4, '=') : token.payloadText,
      );
    }
    for (const claim of claims) {
      const value = claimText(lookUp(token.payload, claim.path));
      if (value === undefined || value === '') continue;
      headers.add(claim.header, wire(value));
      noteName(headers, claim.header);
      noteValue(headers, value);
    }
    if (!forward) location.remove(stream.request);
    if (payloadKey !== '' || headerKey !== '') {
      const metadata: Record<string, JsonObject> = {};
      if (payloadKey !== '') metadata[payloadKey] = normalized(token.payload, spaced);
      if (headerKey !== '') metadata[headerKey] = token.header;
      addMetadata(stream, METADATA, metadata);
    }
    if (clear && (claims.length > 0 || payloadHeader !== '' || payloadKey !== '')) stream.clearRoute();
  };
}

function claimText(value: JsonValue | undefined): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
      return String(value);
    case 'number':
      return Number.isInteger(value) && value >= 0 && value < 2 ** 64 ? BigInt(value).toString() : exactFixed(value, 6);
    case 'object':
      return value === null ? undefined : Buffer.from(sortedJson(withDoubles(value, generalDouble))).toString('base64');
    default:
      return undefined;
  }
}

function normalized(payload: JsonObject, spaceDelimited: readonly string[]): JsonObject {
  if (spaceDelimited.length === 0) return payload;
  const copy: Record<string, JsonValue | undefined> = { ...payload };
  for (const name of spaceDelimited) {
    const value = payload[name];
    if (typeof value !== 'string') continue;
    const parts = value.split(' ').filter((part) => part !== '');
    if (parts.length > 0) copy[name] = parts;
  }
  return copy;
}

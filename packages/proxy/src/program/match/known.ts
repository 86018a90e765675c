import type { types } from '@mizzen/xds';
import { compileCelExpression } from '../../cel/config.ts';
import { filterStateOf } from '../../filter-state/state.ts';
import { liveShare } from '../../runtime/live.ts';
import type { ConnectionInfo, PeerTls, RequestHead, StreamInfo } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';
import { xxHash64Seeded } from '../route/xxhash64-seeded.ts';
import { asciiLower, wire } from '../values.ts';
import { compileCidrs, isLocal } from './cidr.ts';
import { requestHeader } from './header.ts';
import type { Extension, MatcherKind } from './matcher.ts';
import { decodedParameter } from './query.ts';
import { compileValue, lookUp } from './value.ts';

/** What is asked about; a connection alone has no stream. */
export interface Asked {
  readonly connection: ConnectionInfo;
  readonly request: RequestHead;
  readonly info: StreamInfo | undefined;
}
type Any = NonNullable<Extension['typedConfig']>;
type Input = (asked: Asked) => string | undefined;

const NETWORK = 'envoy.extensions.matching.common_inputs.network.v3.';
const SSL = 'envoy.extensions.matching.common_inputs.ssl.v3.';
const HEADER = 'envoy.type.matcher.v3.HttpRequestHeaderMatchInput';
const QUERY = 'envoy.type.matcher.v3.HttpRequestQueryParamMatchInput';
const FILTER_STATE = `${NETWORK}FilterStateInput`;
const SOURCE_TYPE = `${NETWORK}SourceTypeInput`;
const METADATA = `${NETWORK}DynamicMetadataInput`;
const ATTRIBUTES = 'xds.type.matcher.v3.HttpAttributesCelMatchInput';
const ENVIRONMENT = 'envoy.extensions.matching.common_inputs.environment_variable.v3.Config';

/** What matchers of some kind may look at. */
export interface Subject {
  readonly of: 'request' | 'connection';
  /** Inputs that Envoy has and that such a matcher is not given. */
  readonly without?: readonly string[];
  /** Text may be told apart by its hash, and domains by their suffixes. */
  readonly hashes: boolean;
  /** Matches may be passed over (`keepMatching`). */
  readonly skips: boolean;
}

export const RULES_OF_REQUESTS: Subject = { of: 'request', without: [QUERY, SOURCE_TYPE], hashes: true, skips: false };
export const RULES_OF_CONNECTIONS: Subject = { of: 'connection', without: [SOURCE_TYPE], hashes: false, skips: false };
/** Routes and their clusters are chosen by these alone: Envoy refuses more for routes, and does not survive it for clusters. */
export const OF_ROUTES: Subject = {
  of: 'request',
  without: [
    QUERY,
    SOURCE_TYPE,
    METADATA,
    ATTRIBUTES,
    ...['DestinationIP', 'DestinationPort', 'SourceIP', 'SourcePort', 'DirectSourceIP', 'ServerName'].map(
      (name) => `${NETWORK}${name}Input`,
    ),
    ...['UriSan', 'DnsSan', 'Subject'].map((name) => `${SSL}${name}Input`),
  ],
  hashes: true,
  skips: false,
};
export const ALL_OF_REQUESTS: Subject = { of: 'request', hashes: true, skips: true };

/** Matchers of requests or connections by what is known of them. */
export function knownOf(subject: Subject): Required<Pick<MatcherKind<Asked, never>, 'input' | 'custom' | 'skips'>> {
  return {
    input: (context, input, path) => compileInput(context, input?.typedConfig, subject, [...path, 'typedConfig']),
    custom: (context, input, matcher, path) =>
      compileCustom(context, input?.typedConfig, matcher.typedConfig, subject, path),
    skips: subject.skips,
  };
}

function compileInput(
  context: CompileContext,
  config: Any | undefined,
  { of, without }: Subject,
  path: Path,
): Input | undefined {
  const type = messageOf(config?.['@type'] ?? '');
  if (without?.includes(type) !== true) {
    const simple = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
    if (simple !== undefined) return simple;
    const made = of === 'request' ? inputOfRequest(context, type, config, path) : undefined;
    if (made !== undefined) return made;
    const { key = '', name = '' } = (config ?? {}) as Readonly<Record<string, string>>;
    if (type === FILTER_STATE) {
      if (key === '') context.refuse([...path, 'key'], 'must not be empty');
      return ({ connection, info }) => filterStateOf(info ?? { connection }, key)?.text;
    }
    if (type === ENVIRONMENT) {
      // Matchers of requests never find it, as in Envoy.
      const value = of === 'request' ? undefined : context.deps.env(name);
      return () => (value === undefined ? undefined : wire(value));
    }
  }
  context.refuse(path, `\`${type}\` is nothing that is known of a ${of} as text`);
  return undefined;
}

function inputOfRequest(context: CompileContext, type: string, config: Any | undefined, path: Path): Input | undefined {
  const { headerName = '', queryParam = '' } = (config ?? {}) as Readonly<Record<string, string>>;
  if (type === HEADER) {
    if (headerName === '') context.refuse([...path, 'headerName'], 'must not be empty');
    const header = asciiLower(headerName);
    return ({ request }) => requestHeader(request, header);
  }
  if (type === QUERY) {
    if (queryParam === '') context.refuse([...path, 'queryParam'], 'must not be empty');
    const name = wire(queryParam);
    return ({ request }) => decodedParameter(request.path, name);
  }
  return undefined;
}

const peer =
  (read: (tls: PeerTls) => string): Input =>
  ({ connection: { tls } }) => {
    return tls === undefined ? '' : wire(read(tls));
  };
const remoteAddress = ({ connection, info }: Asked): string => info?.remoteAddress ?? connection.directRemoteAddress;

/** Text; what is not there is absent and matches nothing. */
const READERS: Readonly<Record<string, Input>> = {
  [`${NETWORK}DestinationIPInput`]: ({ connection }) => connection.localAddress,
  [`${NETWORK}DestinationPortInput`]: ({ connection }) => String(connection.localPort),
  [`${NETWORK}SourceIPInput`]: remoteAddress,
  [`${NETWORK}SourcePortInput`]: (asked) =>
    String(remoteAddress(asked) === asked.connection.directRemoteAddress ? asked.connection.remotePort : 0),
  [`${NETWORK}DirectSourceIPInput`]: ({ connection }) => connection.directRemoteAddress,
  [`${NETWORK}ServerNameInput`]: ({ connection: { requestedServerName: name } }) => (name === '' ? undefined : name),
  [SOURCE_TYPE]: ({ connection }) =>
    isLocal(connection.directRemoteAddress, connection.localAddress) ? 'local' : undefined,
  [`${SSL}UriSanInput`]: peer((tls) => tls.uriSans.join(',')),
  [`${SSL}DnsSanInput`]: peer((tls) => tls.dnsSans.join(',')),
  [`${SSL}SubjectInput`]: peer((tls) => tls.subject),
};

function compileCustom(
  context: CompileContext,
  input: Any | undefined,
  matcher: Any | undefined,
  subject: Subject,
  path: Path,
): ((asked: Asked) => boolean) | undefined {
  const at = [...path, 'customMatch', 'typedConfig'];
  const type = messageOf(matcher?.['@type'] ?? '');
  const inputType = messageOf(input?.['@type'] ?? '');
  const fits = (wanted: string): boolean => {
    if (inputType === wanted && subject.of === 'request' && subject.without?.includes(wanted) !== true) return true;
    context.refuse([...path, 'input', 'typedConfig'], `\`${inputType}\` is nothing that \`${type}\` can match`);
    return false;
  };
  const text = (): Input | undefined => compileInput(context, input, subject, [...path, 'input', 'typedConfig']);
  if (subject.hashes) {
    const byHash = compileHashed(context, matcher, type, at);
    if (byHash !== undefined) {
      const read = text();
      return (asked) => {
        const value = read?.(asked);
        return value !== undefined && byHash(value);
      };
    }
  }
  switch (type) {
    case 'envoy.extensions.matching.input_matchers.ip.v3.Ip': {
      const { cidrRanges } = matcher as Any & { readonly cidrRanges?: readonly types.core.CidrRange[] };
      const ranges = compileCidrs(context, cidrRanges, [...at, 'cidrRanges']);
      const read = text();
      return (asked) => {
        const address = read?.(asked);
        return address !== undefined && ranges.some((range) => range.contains(address));
      };
    }
    case 'envoy.extensions.matching.input_matchers.metadata.v3.Metadata': {
      if (!fits(METADATA)) return undefined;
      const { value, invert = false } = matcher as Any & {
        readonly value?: types.matcher.ValueMatcher;
        readonly invert?: boolean;
      };
      const { filter = '', path: segments = [] } = input as Any & {
        readonly filter?: string;
        readonly path?: readonly { readonly key?: string }[];
      };
      const keys = segments.map((segment) => segment.key ?? '');
      const match = compileValue(context, value, [...at, 'value']);
      return ({ info }) => {
        const found = lookUp(info?.dynamicMetadata?.[filter], keys);
        return (found !== undefined && match.matches(found)) !== invert;
      };
    }
    case 'xds.type.matcher.v3.CelMatcher': {
      if (!fits(ATTRIBUTES)) return undefined;
      const { exprMatch } = matcher as Any & types.xdsMatcher.CelMatcher;
      const evaluate = compileCelExpression(context, exprMatch, [...at, 'exprMatch']);
      if (evaluate === undefined) return undefined;
      return ({ request, info }) => info !== undefined && evaluate({ request, info }) === true;
    }
    default:
      context.refuse(at, `\`${type}\` is not a matcher that is supported`);
      return undefined;
  }
}

/** What takes a share of all texts; undefined: a matcher of another kind. */
function compileHashed(
  context: CompileContext,
  matcher: Any | undefined,
  type: string,
  path: Path,
): ((text: string) => boolean) | undefined {
  if (type === 'envoy.extensions.matching.input_matchers.consistent_hashing.v3.ConsistentHashing') {
    const {
      threshold = 0,
      modulo = 0,
      seed = 0,
    } = matcher as Any & {
      readonly threshold?: number;
      readonly modulo?: number;
      readonly seed?: string | number;
    };
    if (modulo === 0) context.refuse([...path, 'modulo'], 'must be more than 0');
    if (threshold > modulo) context.refuse([...path, 'threshold'], 'must be at most `modulo`');
    const [from, parts] = [BigInt(threshold), BigInt(Math.max(1, modulo))];
    return (text) => hashOf(text, seed) % parts >= from;
  }
  if (type === 'envoy.extensions.matching.input_matchers.runtime_fraction.v3.RuntimeFraction') {
    const { runtimeFraction, seed = 0 } = matcher as Any & {
      readonly runtimeFraction?: types.core.RuntimeFractionalPercent;
      readonly seed?: string | number;
    };
    if (runtimeFraction === undefined) context.refuse([...path, 'runtimeFraction'], 'must be there');
    const share = liveShare(context.deps.runtime, runtimeFraction ?? {});
    return (text) => hashOf(text, seed) % BigInt(share.value.parts) < BigInt(share.value.count);
  }
  return undefined;
}

function hashOf(text: string, seed: string | number): bigint {
  return xxHash64Seeded(text, BigInt(seed), 'latin1');
}

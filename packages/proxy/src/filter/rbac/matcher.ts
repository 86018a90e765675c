import type { types } from '@mizzen/xds';
import { compileCelExpression } from '../../cel/config.ts';
import type { CompileContext } from '../../program/context.ts';
import { compileCidrs } from '../../program/match/cidr.ts';
import { requestHeader } from '../../program/match/header.ts';
import { compileMatcher, type Extension, type MatcherConfig, type MatcherKind } from '../../program/match/matcher.ts';
import { compileValue, lookUp } from '../../program/match/value.ts';
import type { Path } from '../../program/path.ts';
import { messageOf } from '../../program/read-resource.ts';
import { asciiLower, wire } from '../../program/values.ts';
import type { ConnectionInfo, PeerTls, RequestHead, StreamInfo } from '../../types.ts';
import { filterStateOf } from '../../filter-state/state.ts';
import { verdict, type RbacEngine, type Verdict, type VerdictNames } from './engine.ts';

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
const METADATA = `${NETWORK}DynamicMetadataInput`;
const ATTRIBUTES = 'xds.type.matcher.v3.HttpAttributesCelMatchInput';
const ACTION = 'envoy.config.rbac.v3.Action';

/** A tree of matchers that lead to actions, in place of policies. What matches nothing is denied. */
export function compileRbacMatcher(
  context: CompileContext,
  matcher: object,
  names: VerdictNames,
  of: 'request' | 'connection',
  path: Path,
): RbacEngine {
  const logs = JSON.stringify(matcher).includes('"LOG"');
  const otherwise = verdict(names, false, '', logs ? false : undefined);
  const choose = compileMatcher(context, matcher as MatcherConfig, subject(names, of, logs), path);
  const evaluate = (connection: ConnectionInfo, request: RequestHead, info: StreamInfo | undefined): Verdict =>
    choose({ connection, request, info }) ?? otherwise;
  return {
    action: 'ALLOW',
    evaluate,
    explain(connection, request, info, trace, place) {
      const found = evaluate(connection, request, info);
      const text = found.policy === '' ? 'the matcher fits nowhere' : `the matcher leads to "${found.policy}"`;
      trace.push({ kind: 'policy', matched: found !== otherwise, text, xds: place });
      return found;
    },
  };
}

/** Matchers of requests by all that is known of them, which lead to what `action` makes. */
export function requestMatchers<A>(action: MatcherKind<Asked, A>['action']): MatcherKind<Asked, A> {
  return {
    input: (context, input, path) => compileInput(context, input?.typedConfig, 'request', [...path, 'typedConfig']),
    action,
    custom: (context, input, matcher, path) =>
      compileCustom(context, input?.typedConfig, matcher.typedConfig, 'request', path),
  };
}

function subject(names: VerdictNames, of: 'request' | 'connection', logs: boolean): MatcherKind<Asked, Verdict> {
  return {
    input: (context, input, path) => compileInput(context, input?.typedConfig, of, [...path, 'typedConfig']),
    action(context, extension, path) {
      const config = extension?.typedConfig;
      if (config === undefined || messageOf(config['@type']) !== ACTION) {
        context.refuse(path, `must be one of type ${ACTION}`);
        return undefined;
      }
      const { name = '', action = 'ALLOW' } = config as Any & types.rbac.Action;
      if (name === '') context.refuse([...path, 'typedConfig', 'name'], 'must not be empty');
      return verdict(names, action !== 'DENY', name, logs ? action === 'LOG' : undefined);
    },
    custom: (context, input, matcher, path) =>
      compileCustom(context, input?.typedConfig, matcher.typedConfig, of, path),
  };
}

function compileInput(
  context: CompileContext,
  config: Any | undefined,
  of: 'request' | 'connection',
  path: Path,
): Input | undefined {
  const type = messageOf(config?.['@type'] ?? '');
  const simple = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  if (simple !== undefined) return simple;
  const { headerName = '', key = '', name = '' } = (config ?? {}) as Readonly<Record<string, string>>;
  if (type === HEADER && of === 'request') {
    if (headerName === '') context.refuse([...path, 'headerName'], 'must not be empty');
    const header = asciiLower(headerName);
    return ({ request }) => requestHeader(request, header);
  }
  if (type === `${NETWORK}FilterStateInput`) {
    if (key === '') context.refuse([...path, 'key'], 'must not be empty');
    return ({ connection, info }) => filterStateOf(info ?? { connection }, key)?.text;
  }
  if (type === 'envoy.extensions.matching.common_inputs.environment_variable.v3.Config') {
    const value = context.deps.env(name);
    return () => (value === undefined ? undefined : wire(value));
  }
  context.refuse(path, `\`${type}\` is nothing that is known of a ${of} as text`);
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
  [`${SSL}UriSanInput`]: peer((tls) => tls.uriSans.join(',')),
  [`${SSL}DnsSanInput`]: peer((tls) => tls.dnsSans.join(',')),
  [`${SSL}SubjectInput`]: peer((tls) => tls.subject),
};

function compileCustom(
  context: CompileContext,
  input: Any | undefined,
  matcher: Any | undefined,
  of: 'request' | 'connection',
  path: Path,
): ((asked: Asked) => boolean) | undefined {
  const at = [...path, 'customMatch', 'typedConfig'];
  const type = messageOf(matcher?.['@type'] ?? '');
  const inputType = messageOf(input?.['@type'] ?? '');
  const fits = (wanted: string): boolean => {
    if (inputType === wanted && of === 'request') return true;
    context.refuse([...path, 'input', 'typedConfig'], `\`${inputType}\` is nothing that \`${type}\` can match`);
    return false;
  };
  switch (type) {
    case 'envoy.extensions.matching.input_matchers.ip.v3.Ip': {
      const { cidrRanges } = matcher as Any & { readonly cidrRanges?: readonly types.core.CidrRange[] };
      const ranges = compileCidrs(context, cidrRanges, [...at, 'cidrRanges']);
      const read = compileInput(context, input, of, [...path, 'input', 'typedConfig']);
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

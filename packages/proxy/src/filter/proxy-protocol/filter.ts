import type { JsonObject, types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import type { Counter } from '../../program/types.ts';
import { mayBeHeader, readProxyHeader, type ProxyHeader, type ProxyTlv, type ProxyVersion } from './header.ts';

/** What the filter makes of the first bytes of a connection. */
export type ProxyProtocolVerdict =
  | { readonly kind: 'more' }
  /** There is no header, which is allowed. */
  | { readonly kind: 'without' }
  | { readonly kind: 'close' }
  | {
      readonly kind: 'header';
      readonly header: ProxyHeader;
      readonly metadata: Readonly<Record<string, JsonObject>> | undefined;
      /** Passed on by clusters that are to. */
      readonly passed: readonly ProxyTlv[];
    };

/** The PROXY protocol listener filter. */
export interface ProxyProtocolReader {
  read(bytes: Buffer): ProxyProtocolVerdict;
}

const NAMESPACE = 'envoy.filters.listener.proxy_protocol';
const MORE: ProxyProtocolVerdict = { kind: 'more' };
const WITHOUT: ProxyProtocolVerdict = { kind: 'without' };
const CLOSE: ProxyProtocolVerdict = { kind: 'close' };
const NONE: readonly ProxyTlv[] = [];

export function compileProxyProtocol(
  context: CompileContext,
  config: types.proxyProtocol.ProxyProtocol,
  path: Path,
): ProxyProtocolReader {
  const { statPrefix = '' } = config;
  const counter = (name: string): Counter =>
    context.deps.counter(`proxy_proto.${statPrefix === '' ? '' : `${statPrefix}.`}${name}`);
  const notAllowed = counter('not_found_disallowed');
  const without = counter('not_found_allowed');
  // Envoy keeps it at the root.
  const errors = context.deps.counter('downstream_cx_proxy_proto_error');
  const versions = [1, 2].map((version) => ({
    found: counter(`versions.v${version}.found`),
    disallowed: counter(`versions.v${version}.disallowed`),
    error: counter(`versions.v${version}.error`),
  }));
  const disallowed = new Set(
    (config.disallowedVersions ?? []).map((version): ProxyVersion => (version === 'V2' ? 2 : 1)),
  );
  if (disallowed.size === 2) context.refuse([...path, 'disallowedVersions'], 'leaves no version');
  const allowsWithout = config.allowRequestsWithoutProxyProtocol === true;
  const rules = compileRules(context, config.rules ?? [], [...path, 'rules']);
  const passes = compilePassed(config.passThroughTlvs);
  const may = (bytes: Buffer, version: 1 | 2): boolean => !disallowed.has(version) && mayBeHeader(bytes, version);
  return {
    read(bytes) {
      if (allowsWithout && !may(bytes, 1) && !may(bytes, 2)) {
        without.value++;
        return WITHOUT;
      }
      const result = readProxyHeader(bytes, disallowed);
      if (result.kind === 'more') return MORE;
      if (result.kind === 'error') {
        errors.value++;
        if (result.version === undefined) notAllowed.value++;
        else versions[result.version - 1]!.error.value++;
        return CLOSE;
      }
      const version = result.kind === 'denied' ? result.version : result.header.version;
      versions[version - 1]!.found.value++;
      if (result.kind === 'denied') {
        versions[version - 1]!.disallowed.value++;
        return CLOSE;
      }
      const { header } = result;
      const passed = header.tlvs.length === 0 ? NONE : header.tlvs.filter(({ type }) => passes(type));
      return { kind: 'header', header, metadata: metadataOf(rules, header.tlvs), passed };
    },
  };
}

interface Rule {
  readonly type: number;
  readonly namespace: string;
  readonly key: string;
  readonly base64: boolean;
}

function compileRules(
  context: CompileContext,
  rules: readonly types.proxyProtocol.ProxyProtocol_Rule[],
  path: Path,
): Rule[] {
  return rules.map(({ tlvType = 0, onTlvPresent }, i) => {
    if (tlvType > 255) context.refuse([...path, i, 'tlvType'], 'must be less than 256');
    const { metadataNamespace = '', key = '', valueStringEncoding } = onTlvPresent ?? {};
    if (onTlvPresent !== undefined && key === '')
      context.refuse([...path, i, 'onTlvPresent', 'key'], 'must not be empty');
    const namespace = metadataNamespace === '' ? NAMESPACE : metadataNamespace;
    return { type: tlvType, namespace, key, base64: valueStringEncoding === 'BASE64' };
  });
}

export function compilePassed(config: types.core.ProxyProtocolPassThroughTLVs | undefined): (type: number) => boolean {
  if (config === undefined) return () => false;
  if ((config.matchType ?? 'INCLUDE_ALL') === 'INCLUDE_ALL') return () => true;
  const types = new Set(config.tlvType);
  return (type) => types.has(type);
}

/** The first of several with the same key stays. */
function metadataOf(rules: readonly Rule[], tlvs: readonly ProxyTlv[]): Record<string, JsonObject> | undefined {
  let metadata: Record<string, Record<string, string>> | undefined;
  for (const { type, value } of tlvs) {
    const rule = rules.find((each) => each.type === type);
    if (rule === undefined) continue;
    metadata ??= {};
    const values = (metadata[rule.namespace] ??= {});
    values[rule.key] ??= rule.base64 ? value.toString('base64') : cleanText(value);
  }
  return metadata;
}

/** UTF-8 with an exclamation mark for every byte that is none. */
function cleanText(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    text += length === 0 ? '!' : bytes.toString('utf8', at, at + length);
    at += Math.max(1, length);
  }
  return text;
}

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Of the UTF-8 sequence there; 0: there is none. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first >> 5 === 6 ? 2 : first >> 4 === 14 ? 3 : first >> 3 === 30 ? 4 : 0;
  if (length < 2) return length;
  try {
    STRICT.decode(bytes.subarray(at, at + length));
    return at + length <= bytes.length ? length : 0;
  } catch {
    return 0;
  }
}

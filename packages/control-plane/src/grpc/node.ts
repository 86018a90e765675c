import { decode } from '@mizzen/xds/binary/index.ts';
import type { types } from '@mizzen/xds';
import { LIMITS } from './limits.ts';
import { WireError, field, fieldsOf, textOf } from './wire.ts';

/** A proxy as its first request describes it: envoy.config.core.v3.Node without the list of its extensions. */
export interface ProxyNode {
  readonly id: string;
  readonly cluster: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly locality: types.core.Locality;
  /** Envoy's own version, such as `1.40.0`; empty when it is not said. */
  readonly version: string;
}

/** Fields of envoy.config.core.v3.Node that are read. */
const [ID, CLUSTER, METADATA, LOCALITY, USER_AGENT_BUILD_VERSION] = [1, 2, 3, 4, 8];
const READ: readonly number[] = [METADATA, LOCALITY, USER_AGENT_BUILD_VERSION];

/** @throws WireError that says what is wrong with it. */
export function readNode(message: Buffer): ProxyNode {
  let [id, cluster] = ['', ''];
  const rest: Uint8Array[] = [];
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === ID) id = short(bytes);
    else if (number === CLUSTER) cluster = short(bytes);
    else if (number === METADATA && bytes.length > LIMITS.metadataBytes) {
      throw new WireError('the metadata of the node is too large');
    } else if (READ.includes(number)) rest.push(...field(number, bytes));
  }
  if (id === '') throw new WireError('the node has no id');
  const { metadata = {}, locality = {}, userAgentBuildVersion } = read(Buffer.concat(rest));
  return { id, cluster, metadata, locality, version: semantic(userAgentBuildVersion) };
}

/** The id alone, for requests that repeat the node. */
export function readNodeId(message: Buffer): string {
  for (const { number, bytes } of fieldsOf(message)) if (number === ID) return short(bytes);
  return '';
}

function short(bytes: Buffer): string {
  if (bytes.length > LIMITS.nameLength) throw new WireError('the id or cluster of the node is too long');
  const text = textOf(bytes);
  if (/\p{Cc}/u.test(text)) throw new WireError('the id or cluster of the node has control characters in it');
  return text;
}

function read(message: Buffer): types.core.Node {
  try {
    return decode('envoy.config.core.v3.Node', message);
  } catch (error) {
    throw new WireError(`the node cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function semantic(build: types.core.BuildVersion | undefined): string {
  if (build?.version === undefined) return '';
  const { majorNumber = 0, minorNumber = 0, patch = 0 } = build.version;
  return `${majorNumber}.${minorNumber}.${patch}`;
}

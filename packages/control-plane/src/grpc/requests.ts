import { LIMITS } from './limits.ts';
import { WireError, fieldsOf, textOf } from './wire.ts';

/** envoy.service.discovery.v3.DiscoveryRequest: all that a proxy wants of one type, and what it made of a response. */
export interface WorldRequest {
  /** As encoded; only the first request of a stream must have it. */
  readonly node: Buffer | undefined;
  readonly typeUrl: string;
  readonly versionInfo: string;
  readonly names: readonly string[];
  readonly nonce: string;
  /** Why the response that `nonce` names was refused. */
  readonly error: string | undefined;
}

/** envoy.service.discovery.v3.DeltaDiscoveryRequest: what differs in what a proxy wants of one type. */
export interface IncrementalRequest {
  readonly node: Buffer | undefined;
  readonly typeUrl: string;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly initialVersions: Readonly<Record<string, string>>;
  readonly nonce: string;
  readonly error: string | undefined;
}

/** @throws WireError that says what is wrong with it. */
export function readWorldRequest(message: Buffer): WorldRequest {
  let [typeUrl, versionInfo, nonce] = ['', '', ''];
  let [node, error]: [Buffer | undefined, string | undefined] = [undefined, undefined];
  const names: string[] = [];
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) versionInfo = textOf(bytes);
    else if (number === 2) node = bytes;
    else if (number === 3) addName(names, bytes);
    else if (number === 4) typeUrl = textOf(bytes);
    else if (number === 5) nonce = textOf(bytes);
    else if (number === 6) error = statusMessage(bytes);
    else if (number === 7) throw locators();
  }
  return { node, typeUrl, versionInfo, names, nonce, error };
}

/** @throws WireError that says what is wrong with it. */
export function readIncrementalRequest(message: Buffer): IncrementalRequest {
  let [typeUrl, nonce] = ['', ''];
  let [node, error]: [Buffer | undefined, string | undefined] = [undefined, undefined];
  const subscribe: string[] = [];
  const unsubscribe: string[] = [];
  const versions: [string, string][] = [];
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) node = bytes;
    else if (number === 2) typeUrl = textOf(bytes);
    else if (number === 3) addName(subscribe, bytes);
    else if (number === 4) addName(unsubscribe, bytes);
    else if (number === 5) versions.push(versionOf(bytes));
    else if (number === 6) nonce = textOf(bytes);
    else if (number === 7) error = statusMessage(bytes);
    else if (number === 8 || number === 9) throw locators();
    if (versions.length > LIMITS.names) throw new WireError('a request lists too many versions');
  }
  return { node, typeUrl, subscribe, unsubscribe, initialVersions: Object.fromEntries(versions), nonce, error };
}

function addName(names: string[], bytes: Buffer): void {
  if (bytes.length > LIMITS.nameLength) throw new WireError('the name of a resource is too long');
  if (names.length >= LIMITS.names) throw new WireError('a request asks for too many resources');
  names.push(textOf(bytes));
}

/** An entry of a map of texts. */
function versionOf(entry: Buffer): [string, string] {
  let [key, value] = ['', ''];
  for (const { number, bytes } of fieldsOf(entry)) {
    if (bytes.length > LIMITS.nameLength) throw new WireError('the name of a resource is too long');
    if (number === 1) key = textOf(bytes);
    else if (number === 2) value = textOf(bytes);
  }
  return [key, value];
}

/** The message of a google.rpc.Status. It is shown to people: nothing in it is to drive their terminal. */
function statusMessage(status: Buffer): string {
  for (const { number, bytes } of fieldsOf(status)) {
    if (number === 2) return bytes.toString('utf8').replace(/[^\P{Cc}\n\t]/gu, '\uFFFD');
  }
  return 'no reason given';
}

function locators(): WireError {
  return new WireError('resource locators (names with parameters) are not supported');
}

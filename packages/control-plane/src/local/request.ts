import type { LocalXdsRequest } from '@mizzen/xds';
import type { DeltaRequest } from '../xds/types.ts';

/**
 * Reads one request line.
 * @throws Error that says what is wrong with it.
 */
export function parseRequest(line: string): LocalXdsRequest {
  const value: unknown = JSON.parse(line);
  if (!isRecord(value)) throw new Error('a request is not an object');
  for (const [name, check] of Object.entries(FIELDS)) {
    const field = value[name];
    if (field === undefined ? name === 'node' : !check(field)) throw new Error(`a request has a bad \`${name}\``);
  }
  if (value['close'] !== true && value['typeUrl'] === undefined) throw new Error('a request has no `typeUrl`');
  return value as unknown as LocalXdsRequest;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const FIELDS: Readonly<Record<keyof LocalXdsRequest, Check>> = {
  node: isText,
  typeUrl: isText,
  metadata: isRecord,
  subscribe: isTexts,
  unsubscribe: isTexts,
  initialResourceVersions: (value) => isRecord(value) && Object.values(value).every(isText),
  responseNonce: isText,
  errors: (value) =>
    Array.isArray(value) &&
    value.every(
      (each) => isRecord(each) && isText(each['resource']) && isText(each['field']) && isText(each['message']),
    ),
  close: (value) => typeof value === 'boolean',
};

/** The same as the server knows it, whatever carries it. */
export function toDelta(request: LocalXdsRequest): DeltaRequest {
  const { typeUrl, subscribe, unsubscribe, initialResourceVersions, responseNonce, errors } = request;
  const refusal =
    errors === undefined || errors.length === 0
      ? undefined
      : { message: errors.map((each) => each.message).join('; '), resources: errors };
  return { typeUrl, subscribe, unsubscribe, initialResourceVersions, responseNonce, refusal };
}

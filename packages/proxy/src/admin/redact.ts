import type { JsonObject, JsonValue } from '@mizzen/xds';

const HIDDEN = '[redacted]';
const HIDDEN_BYTES = Buffer.from(HIDDEN).toString('base64');
const CONFIDENTIAL = new Set([
  'privateKey',
  'private_key',
  'password',
  'genericSecret',
  'generic_secret',
  'sessionTicketKeys',
  'session_ticket_keys',
]);

/** A resource without what nobody may see; as in Envoy, not even the names of files that hold it. */
export function redacted(resource: unknown): JsonObject {
  return Object.fromEntries(
    Object.entries(resource as JsonObject).map(([key, value]) => [
      key,
      CONFIDENTIAL.has(key) ? hide(value) : open(value),
    ]),
  );
}

function open(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? value.map((each: JsonValue) => open(each)!) : redacted(value);
}

function hide(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value === 'string') return HIDDEN;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each: JsonValue) => hide(each)!);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === 'inlineBytes' || key === 'inline_bytes' ? HIDDEN_BYTES : hide(inner),
    ]),
  );
}

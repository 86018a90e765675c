import type { Spelling } from './fields.ts';
import { http } from '../node-http.ts';

/** Heads as text, one byte a character. What is concatenated here is flattened once, by the write. */

/** Statuses that Node has a phrase for and Envoy has not. */
const UNNAMED = new Set([102, 103, 418, 451, 509]);
/** The end of the range has one of its own in Envoy. */
const LAST = 599;

const lines: string[] = [];
const lines10: string[] = [];

/** `HTTP/1.1 200 OK` and the line break. */
export function statusLine(status: number): string {
  return (lines[status] ??= `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`);
}

/** The same for a client that speaks HTTP/1.0. */
export function statusLine10(status: number): string {
  return (lines10[status] ??= `HTTP/1.0 ${status} ${reasonPhrase(status)}\r\n`);
}

/** The phrase of a status, `Unknown` when it has none; what an upstream said is not passed on. */
export function reasonPhrase(status: number): string {
  if (status === LAST) return 'Last Unassigned Server Error Code';
  return (UNNAMED.has(status) ? undefined : http.STATUS_CODES[status]) ?? 'Unknown';
}

export function encodeFields(flat: readonly string[]): string {
  let text = '';
  for (let i = 0; i < flat.length; i += 2) text += `${flat[i]}: ${flat[i + 1]}\r\n`;
  return text;
}

/** `x-envoy-attempt-count` → `X-Envoy-Attempt-Count`. */
function properCase(name: string): string {
  return name.replaceAll(/(^|[^a-z0-9])[a-z]/g, (start) => start.toUpperCase());
}

/** How a connection spells names that were not given a spelling of their own. */
export type KeyFormat = 'lowercase' | 'proper-case' | 'preserve-case';

/** One name as it goes on the wire. */
export function spell(name: string, format: KeyFormat, spelling: Spelling | undefined): string {
  return spelling?.get(name) ?? (format === 'proper-case' || spelling?.properOthers === true ? properCase(name) : name);
}

/** `encodeFields` where names are not simply lowercase. */
export function encodeFieldsSpelled(
  flat: readonly string[],
  format: KeyFormat,
  spelling: Spelling | undefined,
): string {
  let text = '';
  for (let i = 0; i < flat.length; i += 2) text += `${spell(flat[i]!, format, spelling)}: ${flat[i + 1]}\r\n`;
  return text;
}

/** The line before a chunk of so many bytes. */
export function chunkHead(length: number): string {
  return `${length.toString(16)}\r\n`;
}
export const LAST_CHUNK = '0\r\n\r\n';

export function lastChunk(trailers: readonly string[] | undefined): string {
  return trailers === undefined ? LAST_CHUNK : `0\r\n${encodeFields(trailers)}\r\n`;
}

/** Methods whose requests say nothing about a body they do not have. */
export function mayOmitLength(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'DELETE' || method === 'TRACE' || method === 'CONNECT';
}

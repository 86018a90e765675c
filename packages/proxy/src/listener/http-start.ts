import { readRequestLine } from '../codec/request-parser.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** A request line longer than this is not waited for. */
const MAX_LINE = 64 * 1024;
const METHOD_SO_FAR = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{0,64}(?:[ \t\r][^\n]*)?$/;

/**
 * What the first bytes of a connection in clear text are: `h2c` (HTTP/2's preface), `http/1.0`, `http/1.1`, empty when
 * it is not HTTP, undefined when more is needed to tell. Any version but 1.1 passes for 1.0.
 */
export function readHttpStart(bytes: Buffer): string | undefined {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, MAX_LINE));
  if (text.startsWith(PREFACE.slice(0, Math.min(PREFACE.length, text.length)))) {
    return text.length >= PREFACE.length ? 'h2c' : undefined;
  }
  const end = text.indexOf('\n');
  if (end < 0) return text.length < MAX_LINE && METHOD_SO_FAR.test(text) ? undefined : '';
  const line = readRequestLine(text.slice(0, end).replace(/\r$/, ''), true);
  if (line === undefined) return '';
  return line.minor === 1 ? 'http/1.1' : 'http/1.0';
}

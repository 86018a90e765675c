/** Length of the first HTTP/1.1 request in `text` (one byte a character); undefined while it is incomplete. Well-formed input only. */
export function requestLength(text: string): number | undefined {
  const head = text.indexOf('\r\n\r\n') + 4;
  if (head < 4) return undefined;
  const fields = text.slice(0, head).toLowerCase();
  if (fields.includes('\r\ntransfer-encoding: chunked')) return chunkedEnd(text, head);
  const end = head + Number(/\r\ncontent-length: *(\d+)/.exec(fields)?.[1] ?? 0);
  return end <= text.length ? end : undefined;
}

/**
 * Length of the first final response in `text`, informational ones before it included; undefined while it is incomplete, or when
 * only the end of the connection ends it.
 */
export function responseLength(text: string, method: string): number | undefined {
  let start = 0;
  for (;;) {
    const head = text.indexOf('\r\n\r\n', start) + 4;
    if (head < 4) return undefined;
    const status = Number(text.slice(start + 9, start + 12));
    const fields = text.slice(start, head).toLowerCase();
    if (status === 101) return head;
    if (status < 200) {
      start = head;
      continue;
    }
    if (method === 'HEAD' || status === 204 || status === 304) return head;
    if (/\r\ntransfer-encoding:.*chunked/.test(fields)) return chunkedEnd(text, head);
    const length = /\r\ncontent-length: *(\d+)/.exec(fields)?.[1];
    if (length === undefined) return method === 'CONNECT' && status < 300 ? head : undefined;
    return head + Number(length) <= text.length ? head + Number(length) : undefined;
  }
}

function chunkedEnd(text: string, from: number): number | undefined {
  let at = from;
  for (;;) {
    const line = text.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(text.slice(at, line), 16);
    if (!(size >= 0)) return undefined;
    if (size === 0) {
      const end = text.indexOf('\r\n\r\n', line);
      return end < 0 ? undefined : end + 4;
    }
    at = line + 2 + size + 2;
    if (at > text.length) return undefined;
  }
}

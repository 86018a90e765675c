import type { Socket } from 'node:net';

export type Sniffed = 'http' | 'http2' | 'tcp';

const PREFACE = 'PRI * HTTP/2.0\r\n';
const METHOD = /^[A-Z]{1,16}$/;
const REQUEST_LINE_START = /^[A-Z]{1,16} \S/;

/** What a first line of bytes begins; undefined while it could still be more than one thing. */
export function recognise(text: string): Sniffed | undefined {
  if (PREFACE.startsWith(text.slice(0, PREFACE.length))) {
    return text.length >= PREFACE.length ? 'http2' : text === '' || text.length < 5 ? undefined : 'http2';
  }
  if (METHOD.test(text) || /^[A-Z]{1,16} $/.test(text)) return undefined;
  if (!REQUEST_LINE_START.test(text)) return 'tcp';
  const line = /^([^\r\n]*)\r?\n/.exec(text)?.[1];
  if (line === undefined) return text.length > 8_192 ? 'http' : /[^\x20-\x7e]/.test(text) ? 'tcp' : undefined;
  return / HTTP\/1\.[01]$/.test(line) ? 'http' : 'tcp';
}

/** Reads until the protocol is known, puts the bytes back and hands the socket on, paused. */
export function sniff(socket: Socket, then: (protocol: Sniffed) => void): void {
  let seen = Buffer.alloc(0);
  let timer: NodeJS.Timeout | undefined;
  const settle = (protocol: Sniffed): void => {
    clearTimeout(timer);
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.pause();
    if (seen.length > 0) socket.unshift(seen);
    then(protocol);
  };
  const onData = (chunk: Buffer): void => {
    seen = Buffer.concat([seen, chunk]);
    const protocol = recognise(seen.toString('latin1', 0, 9_000));
    if (protocol !== undefined) return settle(protocol);
    // A line that looks like the start of a request but never becomes one.
    timer ??= setTimeout(() => settle('tcp'), 300);
  };
  const onEnd = (): void => settle('tcp');
  socket.on('data', onData);
  socket.on('end', onEnd);
}

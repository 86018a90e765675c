import { connect } from 'node:net';
import { responseLength } from './http-framing.ts';

/** What came back for bytes sent as they are. */
export interface RawResponse {
  /** Everything received, one byte a character. */
  readonly text: string;
  /** The peer closed the connection. */
  readonly closed: boolean;
}

/** For a peer that has nothing more to say, or hangs. */
const PATIENCE = 20_000;

/**
 * Sends bytes over a new connection and collects what comes back until the peer closes it, or has said enough: so many whole
 * responses (`Infinity`: until it closes), or what `enough` takes.
 */
export function rawRequest(
  port: number,
  bytes: string | Buffer,
  enough: number | ((text: string) => boolean) = 1,
  host = '127.0.0.1',
): Promise<RawResponse> {
  const sent = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  const method = /^[A-Z]*/.exec(sent.toString('latin1'))![0];
  const isEnough = typeof enough === 'function' ? enough : (text: string): boolean => holds(text, enough, method);
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write(sent));
    let text = '';
    const finish = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, closed });
    };
    const timer = setTimeout(() => finish(false), PATIENCE);
    socket.on('data', (data) => {
      text += data.toString('latin1');
      if (isEnough(text)) finish(false);
    });
    socket.on('end', () => finish(true));
    socket.on('error', () => finish(true));
  });
}

/** So many whole responses. */
function holds(text: string, responses: number, method: string): boolean {
  let rest = text;
  for (let i = 0; i < responses; i++) {
    const length = responseLength(rest, method);
    if (length === undefined) return false;
    rest = rest.slice(length);
  }
  return true;
}

import { connect } from 'node:net';

/** What came back for bytes sent as they are. */
export interface RawResponse {
  /** Everything received, one byte a character. */
  readonly text: string;
  /** The peer closed the connection before `waitMs` was over. */
  readonly closed: boolean;
}

/** Sends bytes over a new connection to 127.0.0.1 and collects what comes back until it closes or nothing came for `waitMs`. */
export function rawRequest(
  port: number,
  bytes: string | Buffer,
  waitMs = 150,
  host = '127.0.0.1',
): Promise<RawResponse> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    let text = '';
    let closed = false;
    let timer: NodeJS.Timeout;
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, closed });
    };
    const wait = (): void => {
      clearTimeout(timer);
      timer = setTimeout(finish, waitMs);
    };
    socket.on('connect', () => {
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
      wait();
    });
    socket.on('data', (data) => {
      text += data.toString('latin1');
      wait();
    });
    socket.on('end', () => {
      closed = true;
      finish();
    });
    socket.on('error', () => {
      closed = true;
      finish();
    });
    timer = setTimeout(finish, 5000);
  });
}

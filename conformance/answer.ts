import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers';

const REASONS: Readonly<Record<string, string>> = {
  200: 'OK',
  204: 'No Content',
  404: 'Not Found',
  503: 'Service Unavailable',
};

/**
 * Does with a request as the word says:
 *
 * - `503`: that status, with the upstream's name as body; `503@200` after 200 ms, `503@told` when a request says `tell`;
 *   `503+retry-after=1` with a field more;
 * - `raw:BYTES`: percent-encoded bytes; a final `%00` closes the connection after them, a final `%01` resets it;
 * - `reset`, `close`: ends the connection without an answer; `hang`: does not answer;
 * - `partial`: the beginning of an answer; `cut`: the same, and then the end of the connection;
 * - `slow`: an answer in five pieces 100 ms apart; `slow:600` in pieces 600 ms apart.
 */
export function answer(
  socket: Duplex & { resetAndDestroy?(): void },
  word: string,
  name: string,
  fields: string,
): void {
  const [what, delay] = word.split(/@(?=\d+$)/) as [string, string | undefined];
  if (delay !== undefined) {
    setTimeout(() => answer(socket, what, name, fields), Number(delay));
    return;
  }
  if (what.startsWith('raw:')) {
    const bytes = what.slice(4).replaceAll(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
    const ends = bytes.endsWith('\0') || bytes.endsWith('\x01') ? bytes.at(-1) : undefined;
    socket.write(Buffer.from(ends === undefined ? bytes : bytes.slice(0, -1), 'latin1'));
    if (ends === '\0') socket.end();
    // What was written is to arrive before.
    if (ends === '\x01') setTimeout(() => reset(socket), 30);
    return;
  }
  const slow = /^slow(?::(\d+))?$/.exec(what);
  if (slow !== null) {
    socket.write(`HTTP/1.1 200 OK\r\n${fields}content-length: 5\r\n\r\n`);
    const apart = Number(slow[1] ?? 100);
    for (let i = 0; i < 5; i++) setTimeout(() => void (socket.writable && socket.write(String(i))), (i + 1) * apart);
    return;
  }
  switch (what) {
    case 'hang':
      return;
    case 'reset':
      return reset(socket);
    case 'close':
      return void socket.end();
    case 'partial':
    case 'cut':
      socket.write(`HTTP/1.1 200 OK\r\n${fields}content-length: 10\r\n\r\nabc`);
      if (what === 'cut') setTimeout(() => socket.end(), 20);
      return;
    default:
      return status(socket, what, name, fields);
  }
}

function reset(socket: Duplex & { resetAndDestroy?(): void }): void {
  if (socket.resetAndDestroy === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

function status(socket: Duplex, what: string, name: string, fields: string): void {
  const [code = '', ...more] = what.split('+');
  if (!/^\d{3}$/.test(code)) {
    socket.write(`HTTP/1.1 500 X\r\ncontent-length: ${what.length}\r\n\r\n${what}`);
    return;
  }
  const extra = more.map((pair) => `${pair.replace('=', ': ')}\r\n`).join('');
  const body = code === '204' || code === '304' ? '' : `${name}\n`;
  const length = code === '204' ? '' : `content-length: ${body.length}\r\n`;
  socket.write(`HTTP/1.1 ${code} ${REASONS[code] ?? 'X'}\r\n${fields}${extra}${length}\r\n${body}`);
}

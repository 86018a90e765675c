import type { Socket } from 'node:net';
import type { Identity } from './identity.ts';

/** Sends everything back, each line after a banner that tells versions apart: `v1 hello` for `hello`. */
export function echo(identity: Identity, socket: Socket): void {
  const banner = Buffer.from(`${identity.version || identity.workload} `);
  let lineStart = true;
  socket.on('data', (chunk: Buffer) => {
    const out: Buffer[] = [];
    let from = 0;
    while (from < chunk.length) {
      if (lineStart) out.push(banner);
      const end = chunk.indexOf(0x0a, from);
      lineStart = end >= 0;
      const to = end < 0 ? chunk.length : end + 1;
      out.push(chunk.subarray(from, to));
      from = to;
    }
    if (!socket.write(Buffer.concat(out))) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('end', () => socket.end());
  socket.resume();
}

import { createServer } from 'node:net';

/** Below the range that systems take ports of outgoing connections from, so that none is in the way. */
const FIRST = 20_000;
const LAST = 31_000;
let next = FIRST + ((process.pid * 97) % (LAST - FIRST));

/** A port of 127.0.0.1 that nobody listens on and that nobody else in this process gets. */
export async function takePort(): Promise<number> {
  for (;;) {
    const port = next;
    next = next === LAST ? FIRST : next + 1;
    if (await free(port)) return port;
  }
}

function free(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

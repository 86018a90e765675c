import { createServer } from 'node:net';

/** Below the range that systems take ports of outgoing connections from, so that none is in the way. */
const FIRST = 20_000;
const LAST = 31_000;
/** As many as one process takes for itself at a time. */
const BLOCK = 200;

let next = FIRST + ((process.pid * BLOCK) % (LAST - FIRST));
let left = 0;

/**
 * A port of 127.0.0.1 that nobody listens on and that nobody else gets who takes ports here, in another process either: also one
 * where nobody is to listen is then left alone.
 */
export async function takePort(): Promise<number> {
  for (;;) {
    if (left === 0) await takeBlock();
    left--;
    const port = next++;
    if (await free(port)) return port;
  }
}

/** Whose a block is is whoever listens on its first port, to its end. */
async function takeBlock(): Promise<void> {
  for (;;) {
    next = Math.ceil(next / BLOCK) * BLOCK;
    if (next + BLOCK > LAST) next = FIRST;
    const guard = createServer().unref();
    const taken = await new Promise<boolean>((done) => {
      guard.once('error', () => done(false));
      guard.listen(next, '127.0.0.1', () => done(true));
    });
    if (taken) {
      next++;
      left = BLOCK - 1;
      return;
    }
    next += BLOCK;
  }
}

function free(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

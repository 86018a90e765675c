import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Below the ports that systems give to outgoing connections, one of which could take it before its owner listens, and below
 * Mizzen's own and those it gives to applications.
 */
const FIRST_PORT = 10_000;
const PORTS = 4_900;
/** Processes of tests run side by side: each looks in another place. */
let next = (process.pid * 100) % PORTS;

/** A port of 127.0.0.1 that nobody listened on a moment ago, another one each time. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORTS; tries++) {
    const port = FIRST_PORT + next;
    next = (next + 1) % PORTS;
    if (claim(port) && (await isFree(port))) return port;
  }
  throw new Error('no port of 127.0.0.1 is free');
}

/** How long a port is left to whoever has asked for it, who may not listen on it at once. */
const CLAIM_MS = 60_000;
const CLAIMS = join(tmpdir(), `mizzen-test-ports-${process.getuid?.() ?? 0}`);

/** Whether no process of tests, this one included, was given the port lately; it is this one's from now on. */
function claim(port: number): boolean {
  const file = join(CLAIMS, String(port));
  mkdirSync(CLAIMS, { recursive: true });
  const claimed = statSync(file, { throwIfNoEntry: false });
  if (claimed !== undefined) {
    if (Date.now() - claimed.mtimeMs < CLAIM_MS) return false;
    rmSync(file, { force: true });
  }
  try {
    writeFileSync(file, '', { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listens = await new Promise<boolean>((done) => {
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => done(true));
  });
  if (listens) await new Promise((done) => server.close(done));
  return listens;
}

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Nothing from elsewhere, nothing within the page that is not one of its files. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The console's files. Built when first asked for, unless they are (docs/decisions/0003-console.md). */
export class ConsoleFiles {
  #folder: Promise<string> | undefined;

  /** False when there is no such file. */
  async answer(path: string, response: ServerResponse): Promise<boolean> {
    const name = path === '/' ? 'index.html' : path.slice(1);
    if (!/^(index\.html|favicon\.svg|assets\/[\w.-]+\.(js|css|svg))$/.test(name)) return false;
    let body: Buffer;
    this.#folder ??= build();
    // What failed for a reason that passes is tried again.
    const folder = await this.#folder.catch((error: unknown) => {
      this.#folder = undefined;
      throw error;
    });
    try {
      body = readFileSync(join(folder, name));
    } catch {
      return false;
    }
    response.writeHead(200, {
      'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
      'content-length': body.length,
      // Names of assets change with their content.
      'cache-control': name.startsWith('assets/') ? 'max-age=31536000, immutable' : 'no-cache',
      'content-security-policy': POLICY,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    response.end(body);
    return true;
  }
}

/** Resolves with the folder of the built files. */
function build(): Promise<string> {
  const program = fileURLToPath(import.meta.resolve('@mizzen/console/build/main.ts'));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(out.trim());
      else reject(new Error(`the console cannot be built: ${err.trim()}`));
    });
  });
}

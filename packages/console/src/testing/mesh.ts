import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, repositoryRoot } from '@mizzen/testkit';

type Files = Readonly<Record<string, string>>;
interface Example {
  readonly path: string;
  readonly port: number;
}

/** A real mesh of `mizzen up`, with its console. */
export class Mesh {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'mizzen-console-'));
  readonly console: string;
  readonly gateway: string;
  readonly #child: ChildProcess;
  #output = '';

  /** `from`: files by their names, or the path of a directory of the repository with the server port of its gateway. */
  private constructor(from: Files | Example, ports: readonly [number, number, number]) {
    const example = 'path' in from && typeof from.path === 'string' ? (from as Example) : undefined;
    if (example === undefined) for (const [name, text] of Object.entries(from)) this.write(name, text as string);
    const [api, web, gateway] = ports;
    this.console = `http://127.0.0.1:${web}`;
    this.gateway = `http://127.0.0.1:${gateway}`;
    const program = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');
    const flags = [`--api-port=${api}`, `--console-port=${web}`, `--gateway-port=${example?.port ?? 80}=${gateway}`];
    const path = example === undefined ? 'mesh' : join(repositoryRoot, example.path);
    this.#child = spawn(process.execPath, [program, 'up', path, ...flags], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (data: Buffer) => (this.#output += data.toString()));
  }

  static async start(from: Files | Example): Promise<Mesh> {
    const mesh = new Mesh(from, [await freePort(), await freePort(), await freePort()]);
    const deadline = performance.now() + 60_000;
    while (!mesh.#output.includes('ready in')) {
      if (mesh.#child.exitCode !== null || performance.now() > deadline)
        throw new Error(`it does not start:\n${mesh.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return mesh;
  }

  write(name: string, text: string): void {
    mkdirSync(join(this.folder, 'mesh'), { recursive: true });
    writeFileSync(join(this.folder, 'mesh', name), text);
  }

  remove(name: string): void {
    rmSync(join(this.folder, 'mesh', name), { force: true });
  }

  /** What the terminal has shown so far. */
  get output(): string {
    return this.#output;
  }

  read(name: string): string {
    return readFileSync(join(this.folder, 'mesh', name), 'utf8');
  }

  /** What whoever changes something must know. */
  get token(): string {
    return readFileSync(join(this.folder, '.mizzen/token'), 'utf8').trim();
  }

  /** The console's address with the right to change things, once. */
  async trusted(): Promise<string> {
    const answer = await fetch(`${this.console}/api/console/code`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}` },
    });
    const { code } = (await answer.json()) as { readonly code: string };
    return `${this.console}/#code=${code}`;
  }

  /** Sends a request through the gateway; its status. */
  async ask(path: string): Promise<number> {
    const answer = await fetch(`${this.gateway}${path}`);
    await answer.arrayBuffer();
    return answer.status;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const gone = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGTERM');
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

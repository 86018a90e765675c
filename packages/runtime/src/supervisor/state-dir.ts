import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { localSocketPath, makePrivateDirectory } from '@mizzen/control-plane/local/path.ts';

/** Where one mesh keeps what it must remember: `.mizzen`, or `.mizzen/meshes/NAME` for one with a name. */
export function stateDirectory(options: { stateDir?: string; name?: string; cwd?: string }): string {
  const base = resolve(options.cwd ?? process.cwd(), options.stateDir ?? '.mizzen');
  return options.name === undefined ? base : join(base, 'meshes', options.name);
}

/** Names end up in paths. */
export function isMeshName(name: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name);
}

/** Paths within a state directory. */
export class StateDir {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Creates it, readable by this user only, and keeps it out of version control. Again: where it was taken away. */
  create(): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    chmodSync(this.path, 0o700);
    mkdirSync(this.logs, { recursive: true });
    mkdirSync(this.#envoys, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.path, '.gitignore'), '*\n');
  }

  get pidFile(): string {
    return join(this.path, 'mizzen.pid');
  }
  get leftovers(): string {
    return join(this.path, 'processes');
  }
  get logs(): string {
    return join(this.path, 'logs');
  }
  get cache(): string {
    return join(this.path, 'cache');
  }
  /** Where the API of the running mesh is: `{"api": "127.0.0.1:15014"}`. */
  get apiFile(): string {
    return join(this.path, 'api.json');
  }
  get tokenFile(): string {
    return join(this.path, 'token');
  }

  /** The secret that lets its holder change something through the API. Kept from run to run. */
  token(): string {
    try {
      const kept = readFileSync(this.tokenFile, 'utf8').trim();
      if (kept.length >= 32) return kept;
    } catch {
      // None yet.
    }
    const token = randomBytes(24).toString('base64url');
    rmSync(this.tokenFile, { force: true });
    writeFileSync(this.tokenFile, `${token}\n`, { mode: 0o600, flag: 'wx' });
    return token;
  }

  /** Logs of one workload, its pods together. */
  workloadLog(namespace: string, workload: string): string {
    return join(this.logs, `${namespace}.${workload}.log`);
  }
  /** Access log of the sidecars of one workload. */
  accessLog(namespace: string, workload: string): string {
    return join(this.logs, `${namespace}.${workload}.access.log`);
  }
  /** What the Envoys of one workload wrote about themselves. */
  envoyLog(namespace: string, workload: string): string {
    return join(this.logs, `${namespace}.${workload}.envoy.log`);
  }
  /** What a container's build makes; kept from run to run. */
  build(namespace: string, workload: string, container: string): string {
    return join(this.path, 'build', `${namespace}.${workload}`, container);
  }
  /** What one of Mizzen's own processes wrote. */
  ownLog(process: string): string {
    return join(this.logs, `${process}.log`);
  }

  /** Where Mizzen's own proxies get their xDS. */
  xdsSocket(): string {
    return this.#socket('xds');
  }
  /** Where Envoys get theirs. */
  adsSocket(): string {
    return this.#socket('ads');
  }
  /** Where they tell what their metrics are made of. */
  observerSocket(): string {
    return this.#socket('metrics');
  }
  /** Where the Envoy of this id answers questions about itself. */
  envoyAdmin(id: string): string {
    return this.#socket(`envoy/${id}`);
  }
  /** What the Envoy of this id is started with. */
  envoyBootstrap(id: string): string {
    return join(this.#envoys, `${id}.json`);
  }
  get #envoys(): string {
    return join(this.path, 'envoy');
  }

  /** Empties what Envoys are started with, of which a run that crashed left some behind. */
  clearEnvoys(): void {
    rmSync(this.#envoys, { recursive: true, force: true });
    mkdirSync(this.#envoys, { mode: 0o700 });
  }

  /** A socket in a directory that only this user can enter. */
  #socket(name: string): string {
    const path = localSocketPath(this.path, name);
    // What is outside is there only once a path has been too long.
    if (process.platform !== 'win32' && !path.startsWith(this.path + sep)) makePrivateDirectory(dirname(path));
    return path;
  }
}

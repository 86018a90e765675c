import { spawnSync } from 'node:child_process';
import { has } from './paths.ts';

/** Programs that tests run, each with the Debian package that has it. */
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
  // A peer of the benchmarks.
  '/usr/sbin/haproxy': 'haproxy',
  wrk: 'wrk',
  h2load: 'nghttp2-client',
  chromium: 'chromium',
  // Zipkin's server, and what fetches it.
  java: 'default-jre-headless',
  mvn: 'maven',
};

/** Installs the packages of the programs that are missing, as root or with sudo. */
export function installDebian(): void {
  const missing = Object.entries(DEBIAN).filter(([program]) => !has(program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const run = (...words: string[]): boolean => {
    const [program, ...args] = [...prefix, ...words];
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    return spawnSync(program!, args, { stdio: 'inherit', env }).status === 0;
  };
  process.stdout.write(`installing ${packages.join(', ')}\n`);
  if (!has('apt-get') || !run('apt-get', 'update', '-qq') || !run('apt-get', 'install', '-y', '-qq', ...packages))
    throw new Error(`no ${packages.join(', ')}`);
}

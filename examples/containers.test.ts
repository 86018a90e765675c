import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, matchesGlob, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

/** What can be said of container files without building any: what hadolint and compose’s own loader say, and what is copied. */

const here = import.meta.dirname;
const find = (pattern: string): string[] =>
  globSync(pattern, { cwd: here, exclude: (name) => name === 'node_modules' }).toSorted();
const DOCKERFILES = [...find('**/Dockerfile'), ...find('**/*.Dockerfile')];
const COMPOSE = find('**/compose.yaml');

/** Images that are built from another folder than their Dockerfile's. */
const CONTEXTS: Readonly<Record<string, string>> = {
  'store/Dockerfile': '..',
  'greet/Dockerfile': '..',
  'observatory/docker/weather-service.Dockerfile': '..',
};
const contextOf = (file: string): string => join(here, CONTEXTS[file] ?? dirname(file));

test('there are container files', () => {
  expect([DOCKERFILES.length, COMPOSE.length]).toEqual([7, 2]);
});

test.each(DOCKERFILES)('hadolint finds nothing to say about %s', (file) => {
  const program = join(here, '../.tools/hadolint/bin/hadolint');
  if (!existsSync(program)) throw new Error('hadolint is not installed: npm run tools');
  const args = ['--no-fail', '--format', 'json', join(here, file)];
  expect(JSON.parse(execFileSync(program, args, { encoding: 'utf8' }))).toEqual([]);
});

interface Project {
  readonly name: string;
  readonly services: Readonly<
    Record<string, { readonly build?: { readonly context: string; readonly dockerfile: string } }>
  >;
}

/** A compose file as `docker compose` reads it, by its own loader. Throws with what that has against it. */
function load(file: string): Project {
  const program = join(here, '../.tools/peers/compose');
  if (!existsSync(program)) throw new Error('the loader of compose files is not there: npm run tools');
  const { status, stdout, stderr } = spawnSync(program, [file], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Project;
}

test.each(COMPOSE)(
  'the loader of `docker compose` takes %s, which builds from the folders that are copied from',
  (file) => {
    const { name, services } = load(join(here, file));
    expect(name).toBe(dirname(file));
    const built = Object.values(services).flatMap(({ build }) => (build === undefined ? [] : [build]));
    expect(built.length).toBeGreaterThan(3);
    for (const { context, dockerfile } of built) {
      const path = relative(here, resolve(context, dockerfile));
      expect([path, contextOf(path)]).toEqual([expect.toBeOneOf(DOCKERFILES), context]);
    }
  },
);

test('a compose file with a mistake is not taken', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-compose-'));
  const file = join(folder, 'compose.yaml');
  writeFileSync(file, 'name: a\nservices: { web: { image: nginx, depends_on: [nobody] } }\n');
  expect(() => load(file)).toThrow('nobody');
  writeFileSync(file, 'name: a\nservices: { web: { image: nginx, pots: [80] } }\n');
  expect(() => load(file)).toThrow('pots');
  rmSync(folder, { recursive: true });
});

/** Instructions, with lines that go on joined. */
function instructions(file: string): (readonly [name: string, rest: string])[] {
  const lines = readFileSync(join(here, file), 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n');
  return lines.flatMap((line) => {
    const [, name, rest] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
    return name === undefined || rest === undefined ? [] : [[name, rest] as const];
  });
}

/** Files that the instructions copy from the context, as it is with what its .dockerignore leaves. */
function copied(file: string): Set<string> {
  const context = contextOf(file);
  const files = new Set<string>();
  for (const [name, rest] of instructions(file)) {
    if (name !== 'COPY' || rest.includes('--from=')) continue;
    const sources = rest
      .split(/\s+/)
      .filter((word) => !word.startsWith('--'))
      .slice(0, -1);
    for (const source of sources) {
      const found = globSync(source, { cwd: context });
      expect([source, found.length > 0]).toEqual([source, true]);
      for (const each of found) {
        const all = statSync(join(context, each)).isDirectory() ? globSync(`${each}/**/*`, { cwd: context }) : [each];
        for (const one of all) if (!ignored(context, file, one)) files.add(resolve(context, one));
      }
    }
  }
  return files;
}

function ignored(context: string, file: string, path: string): boolean {
  const list = [`${join(here, file)}.dockerignore`, join(context, '.dockerignore')].find((each) => existsSync(each));
  let out = false;
  for (const line of list === undefined ? [] : readFileSync(list, 'utf8').split('\n')) {
    const pattern = line.replace(/^!/, '').replace(/\/$/, '');
    if (line === '' || line.startsWith('#')) continue;
    if (matchesGlob(path, pattern) || matchesGlob(path, `${pattern}/**`)) out = !line.startsWith('!');
  }
  return out;
}

const OF_NODE = DOCKERFILES.filter((file) => instructions(file).some(([, rest]) => rest.includes('nodejs24')));

test.each(OF_NODE)('what %s copies has all that its program imports, and packages for the rest', (file) => {
  const files = copied(file);
  const manifest = [...files].find((each) => each.endsWith('package.json') && dirname(each) !== join(here, '..'))!;
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    readonly dependencies?: object;
    readonly optionalDependencies?: object;
  };
  const packages = new Set([...Object.keys(dependencies), ...Object.keys(optionalDependencies)]);
  const programs = [...files].filter((each) => each.endsWith('.ts'));
  expect(programs.length).toBeGreaterThan(0);
  for (const program of programs) {
    const text = readFileSync(program, 'utf8').replaceAll(/^import type .*$/gm, '');
    for (const [, name = ''] of text.matchAll(/\bfrom '([^']+)'|^import '([^']+)'/gm)) {
      if (name.startsWith('.')) {
        const target = resolve(dirname(program), name);
        expect([relative(here, program), relative(here, target), files.has(target)]).toEqual([
          relative(here, program),
          relative(here, target),
          true,
        ]);
      } else if (name !== '' && !name.startsWith('node:') && !builtinModules.includes(name)) {
        const [scope = '', rest = ''] = name.split('/');
        expect(packages).toContain(scope.startsWith('@') ? `${scope}/${rest}` : scope);
      }
    }
  }
});

test.each(DOCKERFILES)('packages that %s installs are those of the lockfile', (file) => {
  const runs = instructions(file).filter(([name, rest]) => name === 'RUN' && /\bnpm\b/.test(rest));
  for (const [, rest] of runs) {
    expect(rest).toMatch(/^npm ci /);
    expect([...copied(file)]).toContain(resolve(here, '../package-lock.json'));
  }
});

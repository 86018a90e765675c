import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const store = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(store, file), 'utf8');
const SERVICES = ['catalog', 'inventory', 'orders', 'payment', 'storefront'];

interface Compose {
  readonly services: Record<
    string,
    {
      readonly image: string;
      readonly build?: {
        readonly context: string;
        readonly dockerfile: string;
        readonly args: { readonly SERVICE: string };
      };
      readonly depends_on?: readonly string[];
      readonly environment?: Readonly<Record<string, string>>;
      readonly read_only?: boolean;
    }
  >;
}

test('manifests, containers and the Dockerfile are of this version', () => {
  const files = [...globSync('k8s/*.yaml', { cwd: store }), 'compose.yaml', 'Dockerfile'];
  const tags = files.flatMap((file) =>
    [...read(file).matchAll(/mizzen-examples\/store-\w+:([^\s'"]+)/g)].map(([, tag]) => tag),
  );
  expect(tags.length).toBeGreaterThanOrEqual(12);
  expect(new Set(tags)).toEqual(new Set([manifest.version]));
});

test('the compose file builds every service from what is here, and names only what it starts', () => {
  const { services } = parse(read('compose.yaml'), { merge: true }) as Compose;
  const built = Object.entries(services).filter(([, service]) => service.build !== undefined);
  expect(built.map(([name]) => name).toSorted()).toEqual(SERVICES);
  for (const [name, { build, image, environment, depends_on, read_only }] of built) {
    expect(build!.args.SERVICE).toBe(name);
    expect(image).toBe(`mizzen-examples/store-${name}:${manifest.version}`);
    expect(existsSync(join(store, build!.context, build!.dockerfile))).toBe(true);
    expect(existsSync(join(store, 'src', name, 'main.ts'))).toBe(true);
    for (const each of depends_on ?? []) expect(services).toHaveProperty(each);
    for (const url of Object.values(environment ?? {}).filter((value) => value.includes('://')))
      expect(services).toHaveProperty(new URL(url).hostname);
    expect(read_only).toBe(true);
  }
});

test('images run as nobody in particular, from several stages', () => {
  const instructions = read('Dockerfile')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line));
  const stages = instructions.filter((line) => line.startsWith('FROM '));
  expect(stages.length).toBeGreaterThan(1);
  const last = instructions.slice(instructions.lastIndexOf(stages.at(-1)!));
  expect(last[0]).toMatch(/:nonroot$/);
  expect(last).toContain('USER 65532:65532');
  expect(last.some((line) => line.startsWith('RUN '))).toBe(false);
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ENGINES, KUBERNETES, MESSAGES, METADATA, on } from '../packages/api/src/support/index.ts';
import type { Engine, Outcome, Support } from '../packages/api/src/support/index.ts';
import { fields } from '../packages/proxy/src/program/fields/index.ts';
import { schema } from '../packages/proxy/src/program/schema.ts';
import { PAGES } from './gen-api-docs.ts';

test.each(PAGES)('%s is current (node tools/gen-api-docs.ts)', (file, render) => {
  expect(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')).toBe(render());
});

const entries: readonly (readonly [where: string, support: Support])[] = [
  ...Object.entries(MESSAGES).flatMap(([message, table]) =>
    Object.entries(table).map(([field, support]) => [`${message}.${field}`, support] as const),
  ),
  ...Object.entries(KUBERNETES).flatMap(([shape, table]) =>
    Object.entries(table).map(([field, { support }]) => [`${shape}.${field}`, support] as const),
  ),
  ...METADATA,
];

/** What becomes with one engine of every field, and of the values that are treated differently. */
function outcomes(engine: Engine): (readonly [where: string, outcome: Outcome])[] {
  return entries.flatMap(([where, support]): (readonly [string, Outcome])[] => {
    const outcome = on(support, engine);
    if (outcome.state !== 'supported') return [[where, outcome]];
    const { values = {}, texts = [] } = outcome;
    return [
      [where, outcome],
      ...Object.entries(values).map(([value, other]) => [`${where} = ${value}`, on(other, engine)] as const),
      ...texts.map(({ like, support: other }) => [`${where} = ${like}`, on(other, engine)] as const),
    ];
  });
}

/** Messages of Envoy's API that a place such as `Cluster.name` may mean, and the field. */
function placesOf(place: string): { readonly message: string; readonly field: string }[] {
  const dot = place.lastIndexOf('.');
  const [message, field] = [place.slice(0, dot), place.slice(dot + 1)];
  return Object.entries(schema().messages).flatMap(([name, known]) =>
    (name === message || name.endsWith(`.${message}`)) && field in known ? [{ message: name, field }] : [],
  );
}

test.each(ENGINES)('what %s supports or passes over ends up in fields that Envoy has', (engine) => {
  const wrong = outcomes(engine).flatMap(([where, outcome]) =>
    outcome.state === 'not yet'
      ? []
      : outcome.xds.filter((place) => placesOf(place).length === 0).map((place) => `${where}: ${place}`),
  );
  expect(wrong).toEqual([]);
});

test("what Mizzen's proxy supports ends up in fields that it implements", () => {
  const wrong = outcomes('mizzen').flatMap(([where, support]) => {
    if (support.state !== 'supported') return [];
    return support.xds.flatMap((place) => {
      const places = placesOf(place);
      const implemented = places.some(({ message, field }) => fields.get(message)?.get(field)?.class === 'implemented');
      return implemented ? [] : [`${where}: \`${place}\` is not implemented`];
    });
  });
  expect(wrong).toEqual([]);
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseDocuments } from './documents.ts';

const examples = join(import.meta.dirname, '../../../examples');

test('files of other tools in the examples are known as what they are', () => {
  const known: string[] = [];
  const unknown: string[] = [];
  for (const file of readdirSync(examples, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (!/\.(ya?ml|json)$/.test(file) || file.includes('node_modules') || file.endsWith('mizzen.yaml')) continue;
    for (const { what } of parseDocuments(file, readFileSync(join(examples, file), 'utf8')).passedOver) {
      if (what === undefined) unknown.push(file);
      else known.push(`${file}: ${what}`);
    }
  }
  expect(unknown).toEqual([]);
  expect(known).toEqual(
    expect.arrayContaining([
      'observatory/compose.yaml: a compose file',
      'observatory/grafana/dashboards/microservices-overview.json: a dashboard of Grafana',
      'observatory/grafana/provisioning/dashboards/observatory.yml: settings of Grafana',
      'observatory/prometheus/alerts.test.yml: tests of Prometheus rules',
      'observatory/prometheus/alerts.yml: rules of Prometheus',
      'observatory/prometheus/prometheus.yml: a configuration of Prometheus',
      'store/issuer/key.json: keys',
      'store/package.json: an npm package',
      'store/visitors.yaml: scenarios of `mizzen load`',
    ]),
  );
});

const whatOf = (file: string, text: string): (string | undefined)[] =>
  parseDocuments(file, text).passedOver.map(({ what }) => what);

test.each([
  ['values.yaml', 'replicas: 3'],
  ['web.yaml', 'kind: Deployment\nmetadata: { name: web }\nspec: { replicas: 1 }'],
  ['compose.yaml', 'kind: Service\nservices: { web: {} }'],
  ['compose.yaml', '- services'],
  ['list.yaml', '[1, 2]'],
  ['web.json', '{ "services": { "web": {} } }'],
])(
  'what may have been meant as a resource, or is of nobody known here, is not taken for a tool’s: %s',
  (file, text) => {
    expect(whatOf(file, text)).toEqual([undefined]);
  },
);

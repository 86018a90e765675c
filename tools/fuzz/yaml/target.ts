import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderDiagnostic } from '@mizzen/diagnostics';
import { buildModel } from '@mizzen/model';
import { readSettings } from '@mizzen/runtime/control/settings/read.ts';
import { Ledger } from '@mizzen/sources/ledger.ts';
import { translate } from '@mizzen/translator';
import { dump } from 'js-yaml';
import type { Random } from '../random.ts';
import { type Input, type Target, withLess } from '../target.ts';
import { dictionary, mutateTree } from '../tree.ts';
import { corpus, type Sample } from './corpus.ts';
import { NODES } from './nodes.ts';
import { mutateText } from './text.ts';

const MESH_FILE = 'mesh-config';
const SETTINGS_FILE = 'mizzen.yaml';

const samples = corpus();
const words = dictionary(samples.map(({ value }) => value));
const byKind = new Map<string, Sample[]>();
for (const sample of samples) {
  if (sample.kind !== undefined) byKind.set(sample.kind, [...(byKind.get(sample.kind) ?? []), sample]);
}
const kinds = [...byKind.keys()];
/** What a mesh has at the least, so that there is something to translate. */
const base = ['/Service', '/Pod', '/Namespace', 'networking.istio.io/Gateway']
  .flatMap((kind) => byKind.get(kind)!.slice(0, 4))
  .map(({ text }) => text);
const meshConfigs = samples.flatMap(({ value }) => {
  const data = (value as { readonly data?: { readonly mesh?: string } } | null)?.data?.mesh;
  return data === undefined ? [] : [data];
});
const settings = ['workloads:\n  web: { run: node web.js, env: { A: b }, dir: src, watch: [src] }\n'];

function document(random: Random, sample: Sample): string {
  if (random.chance(0.3)) return mutateText(random, sample.text);
  const value = mutateTree(random, sample.value, words);
  const text = random.chance(0.3)
    ? JSON.stringify(value)
    : dump(value, { noRefs: random.chance(0.5), lineWidth: -1, skipInvalid: true });
  return random.chance(0.1) ? mutateText(random, text) : text;
}

function make(random: Random): Input {
  const changed: string[] = [];
  for (let i = random.below(3) + 1; i > 0; i--)
    changed.push(document(random, random.pick(byKind.get(random.pick(kinds))!)));
  const whole = Array.from({ length: random.below(3) }, () => random.pick(samples).text);
  const input: Record<string, string> = { 'base.yaml': base.join('\n---\n'), 'changed.yaml': changed.join('\n---\n') };
  if (whole.length > 0) input['whole.yaml'] = whole.join('\n---\n');
  if (random.chance(0.15)) input[MESH_FILE] = mutateText(random, random.pick(meshConfigs));
  if (random.chance(0.05)) input[SETTINGS_FILE] = mutateText(random, random.pick(settings));
  return input;
}

/** From text to what proxies are sent, and every diagnostic as it would be printed. */
function run(input: Input): void {
  const files = Object.entries(input)
    .filter(([file]) => file !== MESH_FILE && file !== SETTINGS_FILE)
    .map(([file, text]) => ({ file, text }));
  const mesh = input[MESH_FILE] === undefined ? undefined : { file: MESH_FILE, text: input[MESH_FILE] };
  const ledger = new Ledger();
  // As while somebody edits: what was good before, then what is there now.
  ledger.update(files.filter(({ file }) => file !== 'changed.yaml'));
  const result = ledger.update(files, mesh);
  for (const diagnostic of result.diagnostics) {
    renderDiagnostic(diagnostic, { source: (file) => result.text(file), color: false });
  }
  const model = buildModel(result.snapshot);
  for (const node of NODES) translate(model, node);
  if (input[SETTINGS_FILE] !== undefined) runSettings(input[SETTINGS_FILE]);
}

function runSettings(text: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-fuzz-'));
  try {
    const file = join(folder, SETTINGS_FILE);
    writeFileSync(file, text);
    readSettings([file], folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Mutated YAML of every kind, through parsing, validation and translation. */
export const yaml: Target = { make, run, smaller: withLess };

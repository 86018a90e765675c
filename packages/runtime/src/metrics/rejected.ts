import type { ReadResult } from '@mizzen/sources';

/** Resources whose text has an error now, whether an earlier version of them is in force or none. */
export function* rejectedConfigs({
  keptLastGood,
  refused,
  meshConfig,
}: Pick<ReadResult, 'keptLastGood' | 'refused' | 'meshConfig'>): Generator<readonly [kind: string, name: string]> {
  for (const { kind, namespace, name } of [...keptLastGood, ...refused]) {
    yield [kind, namespace === '' ? name : `${namespace}/${name}`];
  }
  if (meshConfig !== undefined && meshConfig.state !== 'good') yield ['MeshConfig', meshConfig.file];
}

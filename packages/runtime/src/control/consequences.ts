import type { ReadResult } from '@mizzen/sources';
import { meshName, refName } from './names.ts';

/** What follows from the mistakes in files, a line each. `restored`: names in force that only an earlier process saw whole. */
export function consequencesOf(result: ReadResult, restored: Iterable<string>): string[] {
  const kept = new Set([...result.keptLastGood.map(refName), ...restored]);
  const refused = result.refused.map(refName).filter((name) => !kept.has(name));
  const { meshConfig } = result;
  if (meshConfig?.state === 'kept') kept.add(meshName(meshConfig));
  if (meshConfig?.state === 'refused') refused.push(meshName(meshConfig));
  return [
    ...[...kept].map((name) => `${name}: its last good version stays in force`),
    ...refused.map((name) => `${name} is left out until it is corrected`),
  ];
}

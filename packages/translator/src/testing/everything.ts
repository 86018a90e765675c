import type { MeshModel } from '@mizzen/model';
import { translate } from '../translate.ts';
import type { Node, Origin } from '../types.ts';

/** All that a node is sent and every origin there is in it, found by asking for every path. */
export function everything(model: MeshModel, node: Node): unknown {
  const { resources, origins: table } = translate(model, node);
  const found: [string, Origin | undefined][] = [];
  const walk = (
    type: 'listener' | 'cluster' | 'route',
    name: string,
    value: unknown,
    path: (string | number)[],
  ): void => {
    found.push([`${type} ${name} ${path.join('.')}`, table.find(type, name, path)]);
    if (typeof value !== 'object' || value === null || path.length > 6) return;
    for (const [key, child] of Array.isArray(value) ? value.entries() : Object.entries(value))
      walk(type, name, child, [...path, key]);
  };
  for (const each of resources.listeners) walk('listener', each.name ?? '', each, []);
  for (const each of resources.clusters) walk('cluster', each.name ?? '', each, []);
  for (const each of resources.routes) walk('route', each.name ?? '', each, []);
  return { resources, found };
}

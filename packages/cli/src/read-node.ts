import { readFileSync } from 'node:fs';
import { metadataProblem } from '@mizzen/translator';
import type { Node } from '@mizzen/translator';
import { UsageError } from './command.ts';

/**
 * The Envoy node in a file (`-`: standard input): what an xDS request says of its proxy, by itself or under `node`.
 * @throws UsageError
 */
export function readNode(file: string): Node {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    throw new UsageError(
      `cannot read the node in \`${file}\`: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const node = (
    typeof value === 'object' && value !== null && 'node' in value ? value.node : value
  ) as Partial<Node> | null;
  if (typeof node?.id !== 'string') throw new UsageError(`\`${file}\` is no Envoy node: it has no \`id\``);
  const { id, metadata = {} } = node;
  const problem = metadataProblem(metadata);
  if (problem !== undefined) throw new UsageError(`\`${file}\` is no node that can be translated for: ${problem}`);
  return { id, metadata };
}

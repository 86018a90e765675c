import { KINDS } from '@mizzen/api';
import type { ReadResult } from '@mizzen/sources';

const KIND_NAMES = Object.keys(KINDS) as (keyof typeof KINDS)[];

/**
 * Kinds that Mizzen has no use for, a line each, and in one more all files that hold something else. Files that are plainly
 * of other tools are not worth a line, unless there is nothing but them.
 */
export function leftOut({
  leftAlone,
  passedOver,
  snapshot,
}: Pick<ReadResult, 'leftAlone' | 'passedOver' | 'snapshot'>): string[] {
  const kinds = new Map<string, { names: string[]; insteadOf: string | undefined }>();
  for (const { ref, insteadOf } of leftAlone) {
    const entry = kinds.get(ref.kind) ?? { names: [], insteadOf };
    entry.names.push(ref.name);
    kinds.set(ref.kind, entry);
  }
  const alone = [...kinds].map(([kind, { names, insteadOf }]) => {
    const shown = names
      .slice(0, 3)
      .map((each) => `\`${each}\``)
      .join(', ');
    const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
    return `${kind} ${shown}${more} left alone${insteadOf === undefined ? '' : `: ${insteadOf}`}`;
  });
  const empty = KIND_NAMES.every((kind) => snapshot.list(kind).length === 0);
  const others = passedOver.filter(({ ofOtherTool }) => empty || ofOtherTool === undefined);
  if (others.length === 0) return alone;
  const over = new Set(others.map(({ file, what }) => (what === undefined ? file : `${file} (${what})`)));
  return [...alone, `not Kubernetes resources, passed over: ${[...over].join(', ')}`];
}

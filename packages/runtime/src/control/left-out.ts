import type { ReadResult } from '@mizzen/sources';

/** Kinds that Mizzen has no use for, a line each, and in one more all files that hold something else. */
export function leftOut({ leftAlone, passedOver }: ReadResult): string[] {
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
  // `mizzen load` reads that one.
  const others = passedOver.filter(({ file }) => !/(?:^|[/\\])load\.yaml$/.test(file));
  if (others.length === 0) return alone;
  const over = new Set(others.map(({ file, what }) => (what === undefined ? file : `${file} (${what})`)));
  return [...alone, `not Kubernetes resources, passed over: ${[...over].join(', ')}`];
}

const collator = new Intl.Collator('en', { numeric: true });

/** Compares names as people count: `svc-2` comes before `svc-10`. */
export const byName = (a: string, b: string): number => collator.compare(a, b);

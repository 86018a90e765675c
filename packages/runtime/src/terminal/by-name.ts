const collator = new Intl.Collator('en', { numeric: true });

/** Compares names as people count: `svc-2` comes before `svc-10`. Of two names that differ, one is first. */
export const byName = (a: string, b: string): number => collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);

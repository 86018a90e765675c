import type { Target } from './target.ts';

/** What can be fuzzed. Loaded when asked for: each brings the code that it tests. */
export const TARGETS: Readonly<Record<string, () => Promise<Target>>> = {
  yaml: async () => (await import('./yaml/target.ts')).yaml,
  xds: async () => (await import('./xds/target.ts')).xds,
  codec: async () => (await import('./codec/target.ts')).codec,
};

export function targetNamed(name: string): Promise<Target> {
  return TARGETS[name]!();
}

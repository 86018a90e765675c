import type { Target } from './target.ts';

/** What can be fuzzed. Loaded when asked for: each brings the code that it tests. */
export const TARGETS: Readonly<Record<string, () => Promise<Target>>> = {
  yaml: async () => (await import('./yaml/target.ts')).yaml,
  xds: async () => (await import('./xds/target.ts')).xds,
  codec: async () => (await import('./codec/target.ts')).codec,
};

/** One of the targets, or what a module given by its URL exports as `target`. */
export async function targetNamed(name: string): Promise<Target> {
  if (!name.startsWith('file:')) return TARGETS[name]!();
  return ((await import(name)) as { readonly target: Target }).target;
}

const POLL_MS = 200;

/**
 * An older Node starts the packaged one and waits for it (packages/cli/bin). A person who kills the process they see
 * means both, so this one ends when the one named in MIZZEN_PARENT is no longer its parent.
 */
export function watchParent(env: NodeJS.ProcessEnv, onGone: () => void): { stop(): void } {
  const parent = Number(env['MIZZEN_PARENT']);
  if (!Number.isInteger(parent) || parent !== process.ppid) return { stop: () => undefined };
  const timer = setInterval(() => {
    if (process.ppid !== parent) onGone();
  }, POLL_MS).unref();
  return { stop: () => clearInterval(timer) };
}

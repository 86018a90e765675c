import type { FromControl } from '../protocol.ts';
import { duration } from '../terminal/style.ts';

/** What became of a change in the proxies, for a person. */
export function describeConverged({
  proxies,
  refused,
  milliseconds,
}: Omit<Extract<FromControl, { type: 'converged' }>, 'type'>): string {
  if (proxies === 0) return 'no proxy is concerned';
  const after = `after ${duration(milliseconds)}`;
  const all = proxies === 1 ? 'the one proxy concerned' : `all ${proxies} proxies concerned`;
  if (refused === 0) return `${all} ${proxies === 1 ? 'has' : 'have'} it ${after}`;
  if (refused >= proxies) return `${all} refused it ${after}`;
  const taken = proxies - refused;
  return `${taken} of ${proxies} proxies concerned ${taken === 1 ? 'has' : 'have'} it ${after}; ${refused} refused it`;
}

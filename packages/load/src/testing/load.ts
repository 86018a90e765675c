import { seeded } from '../deps.ts';
import { Load, type LoadOptions } from '../load.ts';
import { Dialer } from '../net/dialer.ts';
import { Guard } from '../net/guard.ts';
import { readPlan } from '../scenario/read.ts';
import { realClock } from './clock.ts';

/** A load of a file of scenarios, on this machine; a second at 50 a second when nothing is said. */
export function loadOf(yaml: string, options: Partial<LoadOptions> = {}): Load {
  const { plan, diagnostics } = readPlan('load.yaml', yaml);
  if (plan === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const rate = options.rate ?? 50;
  return new Load({
    mode: 'balanced',
    seconds: 1,
    rate,
    peak: rate,
    arrival: 'constant',
    concurrency: 100,
    connections: undefined,
    thresholds: [],
    seed: 1,
    scenarios: plan.scenarios,
    target: plan.target,
    from: '',
    grpc: plan.grpc,
    dialer: new Dialer({
      guard: new Guard({ allowRemote: false }),
      via: { kind: 'direct' },
      tls: { insecure: true, ca: undefined },
    }),
    clock: realClock,
    random: seeded(1),
    ...options,
  });
}

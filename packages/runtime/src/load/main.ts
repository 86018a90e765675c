/** Sends a gentle load to the gateway of a mesh for as long as that runs; it ends when their channel closes. */
import { readFileSync } from 'node:fs';
import { type Clock, Dialer, freshSeed, Guard, Load, readPlan, seeded } from '@mizzen/load';
import { systemClock } from '../kubelet/clock.ts';
import type { FromLoad, ToLoad } from './protocol.ts';

/** What is measured is thrown away now and then, so that it does not grow. */
const ROUND_SECONDS = 600;
const CONCURRENCY = 16;

const clock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, fn) => {
    const timer = systemClock.after(ms, fn);
    return () => timer.cancel();
  },
};

async function send({ file, rate, target }: ToLoad): Promise<never> {
  const { plan, diagnostics } = readPlan(file, readFileSync(file, 'utf8'), process.env);
  if (plan === undefined) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  for (;;) {
    const seed = freshSeed();
    const load = new Load({
      mode: 'balanced',
      seconds: ROUND_SECONDS,
      rate,
      peak: rate,
      arrival: 'poisson',
      concurrency: CONCURRENCY,
      connections: plan.connections,
      thresholds: [],
      seed,
      scenarios: plan.scenarios,
      target,
      from: '',
      grpc: plan.grpc,
      dialer: new Dialer({
        guard: new Guard({ allowRemote: false }),
        via: { kind: 'direct' },
        tls: { insecure: false, ca: undefined },
      }),
      clock,
      random: seeded(seed),
    });
    await load.prepare();
    await load.start();
  }
}

process.on('message', (message: ToLoad) => {
  send(message).catch((error: unknown) => {
    const log: FromLoad = { type: 'log', message: error instanceof Error ? error.message : String(error) };
    if (process.connected) process.send?.(log);
  });
});
process.on('disconnect', () => process.exit(0));
// `mizzen up` decides when this process ends, also when a terminal's Ctrl-C reaches both.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

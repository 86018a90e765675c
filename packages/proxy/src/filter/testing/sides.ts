/** This proxy and real Envoy with one configuration, for tests that ask both the same. */
import { freePort, startEnvoy } from '@mizzen/testkit';
import { startWithAdmin } from '../../process/testing/standalone.ts';

export interface Side<Name extends string = string> {
  readonly ports: Readonly<Record<Name, number>>;
  readonly admin: number;
}

/**
 * Starts both with what `config` makes of a port of their own for each name. What stops them is added to `closing`, as it
 * is when only one of them starts.
 */
export async function startSides<Name extends string>(
  names: readonly Name[],
  config: (ports: Readonly<Record<Name, number>>) => object,
  closing: (() => unknown)[],
): Promise<{ readonly ours: Side<Name>; readonly theirs: Side<Name> }> {
  const its = await freePorts(names);
  const envoy = await startEnvoy(config(its));
  closing.push(() => envoy.stop());
  const own = await freePorts(names);
  const proxy = await startWithAdmin(config(own));
  closing.push(() => proxy.stop());
  return { ours: { ports: own, admin: proxy.admin }, theirs: { ports: its, admin: envoy.adminPort } };
}

async function freePorts<Name extends string>(names: readonly Name[]): Promise<Record<Name, number>> {
  const ports: [Name, number][] = [];
  for (const name of names) ports.push([name, await freePort()]);
  return Object.fromEntries(ports) as Record<Name, number>;
}

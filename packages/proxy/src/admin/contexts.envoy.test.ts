import { expect, test } from 'vitest';
import { SECRETS } from './testing/more-scenarios.ts';
import { statsBeside, type Side } from './testing/stats-beside.ts';

interface Certificates {
  readonly certificates: readonly {
    readonly ca_cert: readonly object[];
    readonly cert_chain: readonly object[];
  }[];
}

/** Envoy has its contexts in no order: it changes from run to run. */
async function certificates({ text }: Side): Promise<readonly string[]> {
  const { certificates: all } = JSON.parse(await text('/certs')) as Certificates;
  // How many days are left is told in whole ones, and counted from another moment.
  return all.map((one) => JSON.stringify(one).replaceAll(/"days_until_expiration":"\d+"/g, '"days"')).toSorted();
}

/** What Envoy alone has, what depends on the moment, and what is asked by who tests. */
const OTHER =
  /watchdog_|^(thread_local_cluster_manager|filesystem|overload|envoy\.overload_actions)\.|\.update_duration|[._]admin\.|^server\.(stats_recent_lookups|version|initialization_time_ms|uptime)|connections_accepted_per_socket_event|_cx_[rt]x_bytes_buffered|^runtime\.deprecated_feature/;

async function used({ text, port }: Side): Promise<readonly string[]> {
  const names = (await text('/stats?usedonly')).split('\n').map((line) => line.replace(/: .*$/, ''));
  return names.filter((name) => !OTHER.test(name)).map((name) => name.replaceAll(String(port), 'PORT'));
}

test('certificates are told context by context, and of statistics those that have been used', async () => {
  await statsBeside(SECRETS, async (ours, theirs) => {
    expect(await certificates(ours)).toEqual(await certificates(theirs));
    expect((await used(ours)).toSorted()).toEqual((await used(theirs)).toSorted());
  });
}, 60_000);

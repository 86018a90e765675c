import { workloadName } from '@mizzen/runtime/terminal/table.ts';

interface Gateway {
  readonly owner: { readonly namespace: string; readonly name: string };
  readonly pods: readonly { readonly gatewayPorts: Readonly<Record<string, string>> }[];
}

/** Where the ports of gateways are; with several gateways, whose. */
export function* gatewayLines(workloads: readonly Gateway[]): Generator<string> {
  const gateways = workloads.filter(({ pods }) =>
    pods.some(({ gatewayPorts }) => Object.keys(gatewayPorts).length > 0),
  );
  for (const { owner, pods } of gateways) {
    const whose = gateways.length > 1 ? ` of ${workloadName({ owner })}` : '';
    for (const [port, address] of pods.flatMap(({ gatewayPorts }) => Object.entries(gatewayPorts))) {
      yield `gateway port ${port}${whose} is on ${address}`;
    }
  }
}

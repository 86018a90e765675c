import { tryBind } from '../kubelet/ports.ts';
import type { DesiredWorkload } from '../protocol.ts';
import { describeHolder, portHolder } from './port-holder.ts';

/** The first gateway port that somebody else has, as a line for a person; undefined when all are free. */
export async function gatewayConflict(gateways: readonly DesiredWorkload[]): Promise<string | undefined> {
  for (const gateway of gateways) {
    for (const [port, local] of Object.entries(gateway.gatewayPorts ?? {})) {
      const result = await tryBind('127.0.0.1', local);
      if (result === 'free') continue;
      const what = `port ${local} on 127.0.0.1 (gateway \`${gateway.owner.name}\`, server port ${port})`;
      const flag = `\`--gateway-port ${port}=PORT\` chooses another`;
      if (result === 'denied') return `${what} may not be listened on by this user; ${flag}`;
      return `${what} is taken by ${describeHolder(portHolder(local))}; ${flag}`;
    }
  }
  return undefined;
}

/** What a person opens in a browser, for each gateway port that speaks HTTP. */
export function gatewayUrls(gateways: readonly DesiredWorkload[]): string[] {
  return gateways.flatMap(({ gatewayPorts = {}, gatewayProtocols = {}, gatewayMetrics = [] }) =>
    Object.entries(gatewayPorts).flatMap(([port, local]) => {
      if (gatewayMetrics.includes(Number(port))) return [];
      const protocol = gatewayProtocols[Number(port)] ?? (port === '443' ? 'HTTPS' : 'HTTP');
      if (/^(HTTP|HTTP2|GRPC|GRPC-WEB)$/i.test(protocol)) return [`http://localhost:${local}`];
      return /^HTTPS$/i.test(protocol) ? [`https://localhost:${local}`] : [];
    }),
  );
}

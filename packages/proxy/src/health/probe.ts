import type { ClusterHost } from '../cluster/host.ts';
import type { Deps } from '../deps.ts';
import type { HealthCheckProgram } from '../program/types.ts';
import type { UpstreamSocket } from '../types.ts';
import { http } from '../node-http.ts';

/** `fail` counts towards the threshold, `unwell` is the host's own word that it is not to be used. */
export type ProbeResult = 'pass' | 'fail' | 'unwell';

/** Checks a host once, on a connection of its own. `onResult` is called once. */
export function probe(
  host: ClusterHost,
  program: HealthCheckProgram,
  deps: Deps,
  onResult: (result: ProbeResult) => void,
): void {
  let socket: UpstreamSocket | undefined;
  let done = false;
  const finish = (result: ProbeResult): void => {
    if (done) return;
    done = true;
    timer.cancel();
    socket?.destroy();
    onResult(result);
  };
  const timer = deps.clock.after(program.timeout, () => finish('fail'));
  host.connect(
    (connected) => {
      socket = connected;
      if (done) return void connected.destroy();
      connected.on('error', () => finish('fail'));
      connected.on('close', () => finish('fail'));
      if (program.check.kind === 'tcp') probeTcp(connected, program.check, finish);
      else probeHttp(host, connected, program.check, finish);
    },
    () => finish('fail'),
    undefined,
    host.endpoint.healthCheckPort,
  );
}

type HttpCheck = Extract<HealthCheckProgram['check'], { kind: 'http' }>;
type TcpCheck = Extract<HealthCheckProgram['check'], { kind: 'tcp' }>;

function probeHttp(
  host: ClusterHost,
  socket: UpstreamSocket,
  check: HttpCheck,
  finish: (result: ProbeResult) => void,
): void {
  const name = host.endpoint.healthCheckHostname || check.host || host.cluster.name;
  const sent = http.request(
    {
      createConnection: () => socket,
      method: check.method,
      path: check.path,
      headers: { host: name, 'user-agent': 'Envoy/HC', connection: 'close' },
    },
    (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      finish(
        within(check.expectedStatuses, status) ? 'pass' : within(check.retriableStatuses, status) ? 'fail' : 'unwell',
      );
    },
  );
  sent.on('error', () => finish('fail'));
  sent.end();
}

function within(ranges: readonly (readonly [number, number])[], status: number): boolean {
  return ranges.some(([start, end]) => status >= start && status < end);
}

/** Every piece of `receive` must come, in order, whatever lies between. */
function probeTcp(socket: UpstreamSocket, check: TcpCheck, finish: (result: ProbeResult) => void): void {
  if (check.send.length > 0) socket.write(check.send);
  if (check.receive.length === 0) return finish('pass');
  let seen = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    let at = 0;
    for (const piece of check.receive) {
      const found = seen.indexOf(piece, at);
      if (found < 0) return;
      at = found + piece.length;
    }
    finish('pass');
  });
}

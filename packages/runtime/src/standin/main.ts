import type { FromStandIns, ToStandIns } from './protocol.ts';
import { startStandIn, type StandIn } from './stand-in.ts';

/** Hosts stand-ins: programs that answer in place of workloads which have nothing to run. Started by `mizzen up`. */
const standIns = new Map<string, Promise<StandIn>>();

function send(message: FromStandIns): void {
  if (process.connected) process.send?.(message);
}

process.on('message', (message: ToStandIns) => {
  if (message.type === 'add') void add(message.spec);
  else void remove(message.id);
});
process.on('disconnect', () => process.exit(0));

async function add(spec: Parameters<typeof startStandIn>[0]): Promise<void> {
  const started = startStandIn(spec);
  standIns.set(spec.id, started);
  try {
    await started;
    send({ type: 'listening', id: spec.id });
  } catch (error) {
    standIns.delete(spec.id);
    send({ type: 'failed', id: spec.id, message: error instanceof Error ? error.message : String(error) });
  }
}

async function remove(id: string): Promise<void> {
  const standIn = await standIns.get(id)?.catch(() => undefined);
  standIns.delete(id);
  await standIn?.close();
  send({ type: 'removed', id });
}

send({ type: 'hello' });

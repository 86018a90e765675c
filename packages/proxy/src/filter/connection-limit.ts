import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { ConnectionLimitProgram, GateDecision } from '../program/types.ts';
import { milliseconds } from '../program/values.ts';
import { liveFlag } from '../runtime/live.ts';

const ALLOWED: GateDecision = { allowed: true, details: '', flags: 0, metadata: undefined };
const OVER: GateDecision = {
  allowed: false,
  details: '',
  closeReason: 'over_connection_limit',
  flags: 0,
  metadata: undefined,
};

/** Closes connections beyond so many of a filter chain at a time. */
export function compileConnectionLimit(
  context: CompileContext,
  config: types.connectionLimit.ConnectionLimit,
  path: Path,
): ConnectionLimitProgram {
  const { statPrefix = '', delay, runtimeEnabled } = config;
  const max = Number(config.maxConnections ?? 0);
  if (statPrefix === '') context.refuse([...path, 'statPrefix'], 'must not be empty');
  if (max === 0) context.refuse([...path, 'maxConnections'], 'must be at least 1');
  const active = context.deps.counter(`connection_limit.${statPrefix}.active_connections`);
  const limited = context.deps.counter(`connection_limit.${statPrefix}.limited_connections`);
  const enabled = liveFlag(context.deps.runtime, runtimeEnabled?.runtimeKey, runtimeEnabled?.defaultValue ?? true);
  let taken = 0;
  return {
    delay: milliseconds(delay, 0),
    gate: {
      text: 'connection limit',
      check() {
        active.value++;
        if (enabled.value && taken >= max) {
          limited.value++;
          return OVER;
        }
        taken++;
        return ALLOWED;
      },
      ended(allowed) {
        active.value--;
        if (allowed) taken--;
      },
    },
  };
}

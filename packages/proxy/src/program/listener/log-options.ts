import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';

/** Of fields that have moved into `accessLogOptions`, none may be set beside it. */
export function refuseOlderLogOptions(
  context: CompileContext,
  config: Readonly<Record<string, unknown>>,
  older: readonly string[],
  path: Path,
): void {
  if (config['accessLogOptions'] === undefined) return;
  for (const field of older) {
    if (config[field] !== undefined && config[field] !== false)
      context.refuse([...path, field], 'cannot be set beside `accessLogOptions`');
  }
}

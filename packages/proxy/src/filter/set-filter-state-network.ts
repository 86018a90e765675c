import type { types } from '@mizzen/xds';
import { compileStateSetter } from '../filter-state/set.ts';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { NetworkStateProgram } from '../program/types.ts';

/** Notes values made from the connection for others to read, at three moments of its life. */
export function compileNetworkSetFilterState(
  context: CompileContext,
  config: types.networkSetFilterState.Config,
  path: Path,
): NetworkStateProgram {
  return {
    onNewConnection: compileStateSetter(context, config.onNewConnection, [...path, 'onNewConnection']),
    onHandshake: compileStateSetter(context, config.onDownstreamTlsHandshake, [...path, 'onDownstreamTlsHandshake']),
    onData: compileStateSetter(context, config.onDownstreamData, [...path, 'onDownstreamData']),
  };
}

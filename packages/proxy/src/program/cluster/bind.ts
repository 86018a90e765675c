import { isIP } from 'node:net';
import type { types } from '@mizzen/xds';
import { checkProtocol } from '../address.ts';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import type { SourceAddresses } from '../types.ts';

/** Undefined where the configuration says nothing. */
export function compileBind(
  context: CompileContext,
  config: types.core.BindConfig | undefined,
  path: Path,
): SourceAddresses | undefined {
  if (config === undefined) return undefined;
  const { sourceAddress, extraSourceAddresses = [], additionalSourceAddresses = [] } = config;
  const extra = extraSourceAddresses.length > 0;
  if (extra && additionalSourceAddresses.length > 0)
    context.refuse([...path, 'additionalSourceAddresses'], 'cannot be set beside `extraSourceAddresses`');
  const others = extra ? extraSourceAddresses.map(({ address }) => address ?? {}) : additionalSourceAddresses;
  if (sourceAddress === undefined) {
    if (others.length > 0) context.refuse([...path, 'sourceAddress'], 'must be there beside others');
    return undefined;
  }
  if (others.length > 1) context.refuse(path, 'must not have more than one source address beside `sourceAddress`');
  const families = [sourceAddress, ...others].map(({ address = '' }) => isIP(address));
  if (others.length === 1 && families[0] !== 0 && families[0] === families[1])
    context.refuse(path, 'must have source addresses of IPv4 and of IPv6: two of one kind are never chosen between');
  return [sourceAddress, ...others].map((given, i) => {
    const { address = '', portValue = 0 } = given;
    const list = extra ? 'extraSourceAddresses' : 'additionalSourceAddresses';
    const at = i === 0 ? ['sourceAddress'] : extra ? [list, i - 1, 'address'] : [list, i - 1];
    checkProtocol(context, given, [...path, ...at]);
    if (isIP(address) === 0) context.refuse(path, `\`${address}\` is not an IP address`);
    if (portValue > 65_535) context.refuse([...path, ...at, 'portValue'], 'must be at most 65535');
    return { address, port: portValue };
  });
}

import { TypeUrl, type types } from '@mizzen/xds';
import { readResource } from '../program/read-resource.ts';
import type { Nack } from '../types.ts';
import type { StaticResources } from '../xds/static-resources.ts';

/** Listeners at addresses that others before them have, whether or not they bind them. */
export function sameAddresses(resources: StaticResources): Nack[] {
  const taken = new Map<string, string>();
  return (resources[TypeUrl.listener] ?? []).flatMap(({ name, resource }) => {
    const { address, additionalAddresses = [] } = readResource(TypeUrl.listener, resource)
      .resource as types.listener.Listener;
    const all = [address, ...additionalAddresses.map((additional) => additional.address)];
    return all.flatMap((each, i) => {
      const key = keyOf(each);
      if (key === undefined) return [];
      const other = taken.get(key);
      taken.set(key, other ?? name);
      if (other === undefined || other === name) return [];
      const field = i === 0 ? 'address' : `additionalAddresses[${i - 1}].address`;
      return [
        { typeUrl: TypeUrl.listener, resource: name, field, message: `the listener \`${other}\` has it already` },
      ];
    });
  });
}

/** Undefined: it is the system's to choose. */
function keyOf(address: types.core.Address | undefined): string | undefined {
  if (address?.pipe?.path !== undefined) return address.pipe.path;
  const { address: host, portValue = 0, protocol = 'TCP' } = address?.socketAddress ?? {};
  return host === undefined || portValue === 0 ? undefined : `${protocol} ${host} ${portValue}`;
}

import type { Binding } from '../listener/binding.ts';
import { json, text, type AdminAnswer, type AdminContext } from './context.ts';

/** `/listeners`, as text or `format=json`. */
export function listeners({ node }: AdminContext, query: URLSearchParams): AdminAnswer {
  const all = node.listeners.active().map(({ listener }) => ({ name: listener.name, at: [...listener.bindings] }));
  if (query.get('format') === 'json') {
    if (all.length === 0) return json({});
    return json({
      listener_statuses: all.map(({ name, at: [first, ...others] }) => ({
        name,
        ...(first === undefined ? {} : { local_address: addressOf(first) }),
        ...(others.length === 0 ? {} : { additional_local_addresses: others.map(addressOf) }),
      })),
    });
  }
  return text(all.flatMap(({ name, at }) => at.map((binding) => `${name}::${written(binding)}\n`)).join(''));
}

function addressOf({ target, port }: Binding): object {
  if (target.port === undefined) return { pipe: { path: target.address } };
  return { socket_address: { address: target.address, port_value: port } };
}

function written({ target, port }: Binding): string {
  if (target.port === undefined) return target.address;
  return target.address.includes(':') ? `[${target.address}]:${port}` : `${target.address}:${port}`;
}

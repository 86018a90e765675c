import { LayerError } from '../runtime/entry.ts';
import { json, text, type AdminAnswer, type AdminContext } from './context.ts';

/** `/runtime`: every key, and what each layer says of it. */
export function runtime({ node }: AdminContext): AdminAnswer {
  const layers = node.runtime?.layers.map(({ name }) => name) ?? [];
  const entries = [...(node.runtime?.describe() ?? [])].map(
    ({ key, layers: values, final }) => [key, { layer_values: values, final_value: final }] as const,
  );
  return json({ layers, entries: Object.fromEntries(entries) });
}

const USAGE = `usage: /runtime_modify?key1=value1&key2=value2&keyN=valueN
       or send the parameters as form values
use an empty value to remove a previously added override`;

/** `/runtime_modify`: values of the admin layer; an empty one goes. */
export function runtimeModify({ node }: AdminContext, query: URLSearchParams): AdminAnswer {
  if (query.size === 0) return text(USAGE, 400);
  try {
    return node.runtime?.modify(query) === true ? text('OK\n') : text('No admin layer specified', 503);
  } catch (error) {
    if (error instanceof LayerError) return text(error.message, 503);
    throw error;
  }
}

import type { Resource } from '@mizzen/api';

/**
 * Gives `order` to resources that have none yet (they are new, or in a new place) so that it increases along the list,
 * and leaves it alone on all others: they stay the identical objects. `known` tells the order a resource has had.
 */
export function assignOrder(
  resources: readonly Resource[],
  known: (resource: Resource) => number | undefined,
): Resource[] {
  const orders = keepIncreasing(resources.map(known));
  if (!fill(orders)) orders.forEach((_, index) => (orders[index] = index));
  return resources.map((resource, index) => {
    const order = orders[index] as number;
    return resource.order === order && known(resource) !== undefined ? resource : { ...resource, order };
  });
}

/** Drops every order that is not above all before it. */
function keepIncreasing(orders: readonly (number | undefined)[]): (number | undefined)[] {
  let last = -Infinity;
  return orders.map((order) => {
    if (order === undefined || order <= last) return undefined;
    last = order;
    return order;
  });
}

/** Puts numbers between the neighbours' in every gap; false when there is no room left between two of them. */
function fill(orders: (number | undefined)[]): boolean {
  let index = 0;
  while (index < orders.length) {
    if (orders[index] !== undefined) {
      index++;
      continue;
    }
    let end = index;
    while (end < orders.length && orders[end] === undefined) end++;
    const count = end - index;
    const after = orders[end];
    const before = orders[index - 1] ?? (after === undefined ? -1 : after - count - 1);
    const step = after === undefined ? 1 : (after - before) / (count + 1);
    for (let i = 0; i < count; i++) orders[index + i] = before + step * (i + 1);
    if (step < 1e-6) return false;
    index = end;
  }
  return true;
}

/**
 * Calls `fn` at once, and not again before `ms` have passed; calls meanwhile become one at the end, with the latest
 * argument. So a single change waits for nothing, and a hundred pods starting together make few reports.
 */
export function throttle<T>(ms: number, fn: (latest: T) => void): (value: T) => void {
  let timer: NodeJS.Timeout | undefined;
  let waiting: { readonly value: T } | undefined;
  const open = (): void => {
    timer = undefined;
    if (waiting === undefined) return;
    const { value } = waiting;
    waiting = undefined;
    call(value);
  };
  const call = (value: T): void => {
    timer = setTimeout(open, ms);
    fn(value);
  };
  return (value) => {
    if (timer === undefined) call(value);
    else waiting = { value };
  };
}

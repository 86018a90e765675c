/**
 * Passes calls on at least `interval()` milliseconds apart: the first at once, what comes too early together with the
 * latest argument. The interval is asked anew with each call, so that it may shrink while a call waits. So a single change
 * waits for nothing, and a hundred pods starting together make few reports.
 */
export function throttle<T>(interval: () => number, fn: (latest: T) => void): (value: T) => void {
  let last = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  return (value) => {
    clearTimeout(timer);
    const pass = (): void => {
      last = performance.now();
      fn(value);
    };
    const wait = last + interval() - performance.now();
    if (wait <= 0) pass();
    else timer = setTimeout(pass, wait);
  };
}

let last = 0;

/** A number for each connection of the process, whichever way it was opened. */
export function nextConnectionId(): number {
  return ++last;
}

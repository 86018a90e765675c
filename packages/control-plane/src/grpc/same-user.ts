import { readFileSync } from 'node:fs';

/**
 * Whether the process at the other end of a TCP connection within this machine is of the user who runs this one, by the
 * kernel's table of connections. Such a process can read the mesh's keys from the state directory as well, so that nothing
 * need be kept from it. False where there is no such table.
 */
export function isSameUser(remote: string, localPort: number): boolean {
  const uid = process.getuid?.();
  const end = /^(?:::ffff:)?(\d+)\.(\d+)\.(\d+)\.(\d+):(\d+)$/.exec(remote);
  if (uid === undefined || end === null) return false;
  const bytes = end.slice(1, 5).map(Number);
  const address = bytes
    .toReversed()
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
  const port = (number: number): string => number.toString(16).toUpperCase().padStart(4, '0');
  const own = `${address}:${port(Number(end[5]))}`;
  for (const [table, prefix] of [
    ['/proc/net/tcp', ''],
    ['/proc/net/tcp6', '0000000000000000FFFF0000'],
  ] as const) {
    for (const line of lines(table)) {
      // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid …
      const fields = line.trim().split(/\s+/);
      const [, local, far] = fields;
      if (local === prefix + own && far?.endsWith(`:${port(localPort)}`) === true) return Number(fields[7]) === uid;
    }
  }
  return false;
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, 'latin1').split('\n');
  } catch {
    return [];
  }
}

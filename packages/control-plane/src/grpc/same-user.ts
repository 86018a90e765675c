import { readFile } from 'node:fs/promises';

/** The four numbers of a connection, as a socket of ours has them. */
export interface Connection {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/** Tables of connections, and what stands before an IPv4 address there. */
const TABLES = [
  ['/proc/net/tcp', ''],
  ['/proc/net/tcp6', '0000000000000000FFFF0000'],
] as const;
const ESTABLISHED = '01';

/**
 * Of connections within this machine those whose other end is a process of the user who runs this one, by the kernel's
 * table of connections. Such a process can read the mesh's keys from the state directory as well, so that nothing need be
 * kept from it. None where there is no such table. The table is read once, after the connections were accepted: it can be
 * long, and what it said before was of others.
 */
export async function ofSameUser<T extends Connection>(connections: readonly T[]): Promise<ReadonlySet<T>> {
  const uid = process.getuid?.();
  if (uid === undefined) return new Set();
  const tables = await Promise.all(TABLES.map(async ([file, prefix]) => ({ text: await read(file), prefix })));
  return new Set(connections.filter((each) => ownerOf(each, tables) === uid));
}

function ownerOf(
  { remoteAddress, remotePort, localAddress, localPort }: Connection,
  tables: readonly { readonly text: string; readonly prefix: string }[],
): number | undefined {
  const [there, here] = [end(remoteAddress, remotePort), end(localAddress, localPort)];
  if (there === undefined || here === undefined) return undefined;
  for (const { text, prefix } of tables) {
    // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid …; the line is that of the other end.
    const at = text.indexOf(` ${prefix}${there} ${prefix}${here} ${ESTABLISHED} `);
    // What nobody holds any more has the user 0 there, but is not established.
    if (at >= 0) return Number(text.slice(at + 1, text.indexOf('\n', at)).split(/\s+/)[6]);
  }
  return undefined;
}

/** An IPv4 address and a port as they stand in the table: the address as the number that it is on this machine. */
function end(address = '', port = -1): string | undefined {
  const bytes = /^(?:::ffff:)?(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)?.slice(1).map(Number);
  if (bytes === undefined || port < 0) return undefined;
  const hex = (number: number, digits: number): string => number.toString(16).toUpperCase().padStart(digits, '0');
  return `${bytes
    .toReversed()
    .map((byte) => hex(byte, 2))
    .join('')}:${hex(port, 4)}`;
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch {
    return '';
  }
}

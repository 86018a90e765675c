import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';

const PATH =
  process.platform === 'win32'
    ? `${process.env['SystemRoot'] ?? 'C:\\Windows'}\\System32\\drivers\\etc\\hosts`
    : '/etc/hosts';

/** The addresses of a family that this machine's file of hosts has for a name, in its order. */
export async function fromHostsFile(name: string, family: 4 | 6): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(PATH, 'utf8');
  } catch {
    return [];
  }
  return addressesIn(text, name, family);
}

export function addressesIn(text: string, name: string, family: 4 | 6): readonly string[] {
  const wanted = name.toLowerCase();
  const found = new Set<string>();
  for (const line of text.split(/\r?\n/)) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(address) === family && names.some((each) => each.toLowerCase() === wanted)) found.add(address);
  }
  return [...found];
}

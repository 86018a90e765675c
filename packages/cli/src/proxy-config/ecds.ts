import { goSorted } from './go-sort.ts';
import { type Dump, isObject, list, message, type Raw, text } from './read-dump.ts';
import { TYPE_PREFIX } from '@mizzen/xds';
import { tabulate } from './tabulate.ts';

/** The extension configurations that were fetched by themselves, by type and name. @throws DumpError */
export function extensionTable(dump: Dump): string {
  const extensions = list(dump.part('EcdsConfigDump'), 'ecdsFilters')
    .map(({ ecdsFilter }) => ecdsFilter)
    .filter(isObject);
  const type = (each: Raw): string => text(message(each, 'typedConfig'), '@type');
  const sorted = goSorted(extensions, (a, b) =>
    type(a) === type(b) ? text(a, 'name') < text(b, 'name') : type(a) < type(b),
  );
  const short = (url: string): string => (url.startsWith(TYPE_PREFIX) ? url.slice(TYPE_PREFIX.length) : url);
  return tabulate([['ECDS NAME', 'TYPE'], ...sorted.map((each) => [text(each, 'name'), short(type(each))])], 5);
}

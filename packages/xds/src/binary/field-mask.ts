import { Fault, shown } from './error.ts';

/** The paths of a FieldMask: `"fooBar.baz,qux"` in JSON, `foo_bar.baz` and `qux` in binary. */
export function fieldMask(value: unknown): string[] {
  if (typeof value !== 'string') throw new Fault(`${shown(value)} is not a list of field paths such as \`a.fooBar,b\``);
  if (value === '') return [];
  return value.split(',').map((path) => {
    if (path.includes('_')) throw new Fault(`${shown(path)} is not in camelCase`);
    return path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  });
}

/** One path as JSON has it. */
export function fieldPathToJson(path: string): string {
  const json = path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  if (/[A-Z]/.test(path) || json.includes('_') || json.includes(',')) {
    throw new Fault(`the field path ${shown(path)} has no form in JSON`);
  }
  return json;
}

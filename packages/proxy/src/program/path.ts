/** A place within a resource: field names, map keys and list indexes from its root. */
export type Path = readonly (string | number)[];

/** `virtualHosts[0].routes[1].match`; keys that are not plain names are quoted in brackets. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[A-Za-z_@][\w@]*$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

/**
 * Kubernetes' expansion of `$(VAR)` in values and arguments: known names are replaced, unknown ones stay as written, and
 * `$$` stands for one `$` (so `$$(VAR)` is the text `$(VAR)`).
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  return text.replace(/\$\$|\$\(([^()]+)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (lookup(name) ?? whole),
  );
}

/** Lists and objects within each other; what is deeper Envoy does not read either, be it JSON or YAML. */
const DEEPEST = 100;

/** JSON of a configuration. @throws Error */
export function readJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (isDeeper(value, DEEPEST)) throw new Error(`nesting exceeded maxDepth (${DEEPEST})`);
  return value;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1));
}

/** Reads a setting from the environment; says which one is missing instead of failing somewhere later. */
export function setting(name: string, fallback?: string): string {
  const value = optionalSetting(name) ?? fallback;
  if (value === undefined) throw new Error(`the environment variable ${name} is not set`);
  return value;
}

/** A setting that may be left out; empty is left out, too. */
export function optionalSetting(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}

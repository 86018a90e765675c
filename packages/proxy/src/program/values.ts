import type { Duration, JsonValue, types } from '@mizzen/xds';
import type { CompileContext } from './context.ts';
import type { Path } from './path.ts';

/** Milliseconds of a duration that was checked before, with fractions; `fallback` when it is absent. */
export function milliseconds(duration: Duration | undefined, fallback: number): number {
  return duration === undefined ? fallback : Number(duration.slice(0, -1)) * 1000;
}

/** The same without fractions, as Envoy takes limits: less than one is none. */
export function wholeMilliseconds(duration: Duration | undefined, fallback: number): number {
  // Rounded to nanoseconds first: 0.57 s is 569.9999999999999 ms to a double.
  return duration === undefined ? fallback : Math.trunc(Math.round(Number(duration.slice(0, -1)) * 1e9) / 1e6);
}

export const DENOMINATORS = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 } as const;

/** A chance in [0, 1]. */
export function fraction(value: types.envoyType.FractionalPercent | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  return Math.min(1, (value.numerator ?? 0) / DENOMINATORS[value.denominator ?? 'HUNDRED']);
}

/** What its numerator is out of. */
export function denominator(value: types.envoyType.FractionalPercent | undefined): number {
  return DENOMINATORS[value?.denominator ?? 'HUNDRED'];
}

/** 50 % → 0.5. */
export function percent(value: types.envoyType.Percent | undefined, fallback: number): number {
  return value === undefined ? fallback : (value.value ?? 0) / 100;
}

/**
 * Text as it looks on the wire here: one character a byte. Header values and paths are compared in this form, so text
 * from configurations must be brought into it first.
 */
export function wire(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The text that bytes on the wire spell in UTF-8. */
export function unwire(bytes: string): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** Lower case of A to Z only, as Envoy has it. */
export function asciiLower(text: string): string {
  return isAscii(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (upper) => upper.toLowerCase());
}

/** The bytes of a data source, or undefined after a refusal. */
export function dataSource(context: CompileContext, source: types.core.DataSource, path: Path): Buffer | undefined {
  if (source.inlineString !== undefined) return Buffer.from(source.inlineString, 'utf8');
  if (source.inlineBytes !== undefined) return Buffer.from(source.inlineBytes, 'base64');
  if (source.environmentVariable !== undefined) {
    const value = context.deps.env(source.environmentVariable);
    if (value !== undefined) return Buffer.from(value, 'utf8');
    context.refuse([...path, 'environmentVariable'], `\`${source.environmentVariable}\` is not set`);
    return undefined;
  }
  if (source.filename !== undefined) {
    try {
      return context.deps.readFile(source.filename);
    } catch (error) {
      context.refuse([...path, 'filename'], `\`${source.filename}\` cannot be read: ${(error as Error).message}`);
      return undefined;
    }
  }
  context.refuse(path, 'must say where the data is');
  return undefined;
}

/** A file that lines are to be written to. */
export function checkLogFile(context: CompileContext, file: string | undefined, path: Path): void {
  if (file === undefined || file === '') return;
  const why = context.deps.cannotAppend?.(file);
  if (why !== undefined) context.refuse(path, `\`${file}\` cannot be opened: ${why}`);
}

/** JSON whose text is as on the wire, one character a byte. */
export function wireJson(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value === 'string') return wire(value);
  if (typeof value !== 'object' || value === null) return value;
  const text = JSON.stringify(value);
  return isAscii(text) ? value : (JSON.parse(wire(text)) as JsonValue);
}

import type { Path } from '@mizzen/diagnostics';
import { parseDuration } from '../duration.ts';
import { OUT_OF_RANGE } from '../report.ts';
import type { Report } from '../report.ts';

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535;
}

export function checkPort(report: Report, path: Path, port: number | undefined): void {
  if (!isPort(port ?? 0)) report.error(OUT_OF_RANGE, path, `port \`${port ?? 0}\` must be between 1 and 65535`);
}

/** At least a millisecond, and a whole number of them. Absent is fine. */
export function checkDuration(report: Report, path: Path, text: string | undefined): void {
  if (text === undefined) return;
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) return;
  if (milliseconds < 1) report.error(OUT_OF_RANGE, path, `\`${text}\` is too short: at least \`1ms\``);
  else if (Math.abs(milliseconds - Math.round(milliseconds)) > 1e-6) {
    report.error(OUT_OF_RANGE, path, `\`${text}\` is more precise than a millisecond`);
  }
}

export function checkPercent(report: Report, path: Path, value: number | undefined): void {
  if (value !== undefined && (value < 0 || value > 100)) {
    report.error(OUT_OF_RANGE, path, `\`${value}\` is not a percentage between 0 and 100`);
  }
}

/** A fractional percentage; what is not zero must be at least one in a million. */
export function checkFraction(report: Report, path: Path, percent: { readonly value?: number } | undefined): void {
  const value = percent?.value ?? 0;
  if (value < 0 || value > 100 || (value > 0 && value < 0.0001)) {
    report.error(OUT_OF_RANGE, [...path, 'value'], `\`${value}\` is neither 0 nor between 0.0001 and 100`);
  }
}

export function checkNotNegative<T extends object>(
  report: Report,
  path: Path,
  object: T,
  ...fields: (keyof T & string)[]
): void {
  for (const field of fields) {
    const value: unknown = object[field];
    if (typeof value === 'number' && value < 0) {
      report.error(OUT_OF_RANGE, [...path, field], `\`${field}\` cannot be negative`);
    }
  }
}

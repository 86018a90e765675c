/** How Envoy is told to write a line: when, level, component, text (escaped as C does). */
export const LOG_FORMAT = '%Y-%m-%dT%T.%e %l %n %v';

export interface EnvoyLogLine {
  readonly level: string;
  readonly component: string;
  readonly text: string;
}

/** Undefined for what does not come from Envoy's logger. */
export function parseLogLine(line: string): EnvoyLogLine | undefined {
  const match = /^\d{4}-\S+ (trace|debug|info|warning|error|critical) (\S+) (.*)$/s.exec(line);
  if (match === null) return undefined;
  return { level: match[1]!, component: match[2]!, text: unescape(match[3]!).trim() };
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

/** An address that one of its listeners was to have, and that somebody else has. */
export function takenAddress(text: string): { readonly address: string; readonly port: number } | undefined {
  const match = /cannot bind '([\d.]+):(\d+)': Address already in use/.exec(text);
  return match === null ? undefined : { address: match[1]!, port: Number(match[2]) };
}

/**
 * What a person has heard of already: configuration that was refused (the control process names the line it comes
 * from), a taken port, the stream that ends when the control process does, its own end; and frames of stacks, which are in
 * its log.
 */
export function isSaidElsewhere({ level, text }: EnvoyLogLine): boolean {
  if (level === 'critical') return false;
  return (
    takenAddress(text) !== undefined ||
    /^lds: listener .* config rejected|gRPC config (stream|for)|^caught ENVOY_SIGTERM|^delta config for |^stacktrace for |^#\d+ /i.test(
      text,
    )
  );
}

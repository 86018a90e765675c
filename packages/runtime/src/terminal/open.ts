import { LinesTerminal } from './lines.ts';
import { LiveTerminal } from './live.ts';
import { styler } from './style.ts';
import type { Terminal } from './terminal.ts';

/** A live table where there is a terminal, lines elsewhere. */
export function openTerminal(
  out: NodeJS.WritableStream,
  { color, quiet }: { color: boolean; quiet: boolean },
): Terminal {
  const style = styler(color);
  // Whoever read our lines may go away; the mesh stays.
  out.on('error', () => undefined);
  return isTerminal(out) ? new LiveTerminal({ out, style, quiet }) : new LinesTerminal({ out, style, quiet });
}

function isTerminal(out: NodeJS.WritableStream): out is NodeJS.WriteStream {
  return 'isTTY' in out && out.isTTY === true && process.env.TERM !== 'dumb';
}

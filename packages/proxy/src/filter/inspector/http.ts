import type { CompileContext } from '../../program/context.ts';
import { readHttpStart } from '../../listener/http-start.ts';
import type { Step } from '../../listener/inspect.ts';

/** The HTTP inspector listener filter; leaves alone what is TLS. */
export function compileHttpInspector(context: CompileContext): Step {
  const counter = (name: string): { value: number } => context.deps.counter(`http_inspector.${name}`);
  const found: Readonly<Record<string, { value: number }>> = {
    'http/1.0': counter('http10_found'),
    'http/1.1': counter('http11_found'),
    h2c: counter('http2_found'),
    '': counter('http_not_found'),
  };
  counter('read_error');
  return (bytes, inspection) => {
    if (inspection.hello !== undefined) return 0;
    const protocol = readHttpStart(bytes);
    if (protocol === undefined) return 'more';
    found[protocol]!.value++;
    inspection.httpProtocol = protocol;
    return 0;
  };
}

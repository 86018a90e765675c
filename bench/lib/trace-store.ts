/** The trace store of `mizzen up` alone, on a port of 127.0.0.1: `node bench/lib/trace-store.ts PORT`. */
import { createServer } from 'node:http';
import { systemClock } from '../../packages/runtime/src/control/clock.ts';
import { receiveSpans, takesSpans } from '../../packages/runtime/src/traces/receive.ts';
import { TraceStore } from '../../packages/runtime/src/traces/store.ts';

const store = new TraceStore(systemClock);
createServer((request, response) => {
  const path = request.url ?? '';
  if (takesSpans(request.method, path)) void receiveSpans(path, request, response, store);
  else response.writeHead(404).end();
}).listen(Number(process.argv[2]), '127.0.0.1');

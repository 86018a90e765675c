import { type Command, flag, text, UsageError } from '../command.ts';
import { meshFlags, talk } from '../running.ts';

export const command: Command = {
  name: 'load',
  usage: '[URL|SCENARIO.yaml]',
  summary: 'Sends traffic and reports how it was answered.',
  description:
    'Requests are sent when they are due, however slow the answers are, and measured from then. Without a URL or a file:\n' +
    'load.yaml of this directory or of the running mesh, else the front page behind its gateway. Ctrl-C ends it with the\n' +
    'report. Traffic stays on this machine and in its mesh unless --allow-remote is given.\n\n' +
    'Modes: balanced (constant), spike (bursts), stress (rising until a threshold breaks), soak (long, with a report of\n' +
    'what drifts), chaos (other methods, sizes, aborted requests, slow readers among the others).\n\n' +
    'Thresholds: [SCENARIO[/STEP]:]METRIC then <, <=, >, >= or ==, then a value. Metrics: p50 … p99.99, min, mean, max;\n' +
    'rate; requests, errors, aborted, late, dropped, status(5xx), each a number or a percentage. A broken one makes the\n' +
    'exit status 1.',
  flags: {
    mode: {
      type: 'string',
      short: 'm',
      value: 'MODE',
      help: 'balanced, spike, stress, soak or chaos (default balanced)',
    },
    duration: { type: 'string', short: 'd', value: 'SECONDS', help: 'how long, or such as 5m (default 60)' },
    rate: { type: 'string', short: 'r', value: 'RATE', help: 'scenarios begun a second (default 10)' },
    peak: { type: 'string', value: 'RATE', help: 'highest rate (spike: 5 times the rate, stress: 10 times)' },
    arrival: { type: 'string', value: 'KIND', help: 'constant or poisson (default constant)' },
    concurrency: { type: 'string', short: 'c', value: 'N', help: 'under way at once; more wait (default 256)' },
    connections: { type: 'string', value: 'N', help: 'to each origin (HTTP/1.1: as many as needed; HTTP/2, gRPC: 1)' },
    threshold: {
      type: 'string',
      multiple: true,
      value: 'EXPRESSION',
      help: "such as 'p99<200ms' or 'errors<1%'; may repeat",
    },
    protocol: { type: 'string', short: 'p', value: 'PROTOCOL', help: 'of a URL: http1, http2 or grpc (default http1)' },
    request: { type: 'string', short: 'X', value: 'METHOD', help: 'of a URL: method (default GET, POST with data)' },
    header: {
      type: 'string',
      short: 'H',
      multiple: true,
      value: 'NAME: VALUE',
      help: 'of a URL: a header; may repeat',
    },
    data: { type: 'string', value: 'DATA', help: 'of a URL: body, or message of gRPC as JSON; @FILE reads it' },
    proto: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      help: 'gRPC: .proto file (else the server is asked); may repeat',
    },
    timeout: { type: 'string', value: 'DURATION', help: 'of a URL: longest wait for an answer (default 10s)' },
    from: { type: 'string', value: 'WORKLOAD', help: 'who sends it: a pod or workload, through its sidecar' },
    gateway: { type: 'string', value: 'WORKLOAD', help: 'connect to this gateway, whatever host the URL has' },
    'allow-remote': { type: 'boolean', help: 'also to addresses that are not of this machine' },
    insecure: { type: 'boolean', short: 'k', help: 'take any certificate' },
    cacert: { type: 'string', value: 'FILE', help: 'certificates to trust' },
    seed: { type: 'string', value: 'N', help: 'of all that is random; the report has it' },
    output: { type: 'string', short: 'o', value: 'FORMAT', help: 'json instead of text' },
    report: { type: 'string', value: 'FILE', help: 'write a report with charts as HTML' },
    quiet: { type: 'boolean', short: 'q', help: 'no progress' },
    ...meshFlags,
  },
  examples: [
    'mizzen load -r 100 -d 30 http://127.0.0.1:8080/products',
    "mizzen load examples/store/load.yaml --threshold 'p99<200ms' --threshold 'errors<1%'",
    'mizzen load -m spike --from orders http://catalog:8080/products',
  ],
  run(invocation) {
    const { values } = invocation;
    const output = text(values, 'output') ?? 'text';
    if (output !== 'text' && output !== 'json') throw new UsageError(`-o: \`${output}\` is none of text, json`);
    return talk(invocation, async () => {
      const { loadOptions } = await import('../load/options.ts');
      const options = await loadOptions(invocation);
      if (typeof options === 'number') return options;
      const { drive } = await import('../load/drive.ts');
      return drive(options, { ...invocation, quiet: flag(values, 'quiet'), report: text(values, 'report'), output });
    });
  },
};

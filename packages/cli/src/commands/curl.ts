import { readFileSync } from 'node:fs';
import { type Command, flag, list, text, UsageError } from '../command.ts';
import { client, findWorkload, meshFlags, talk } from '../running.ts';
import { send, type Outgoing } from '../through-proxy.ts';

export const command: Command = {
  name: 'curl',
  usage: '--from WORKLOAD URL',
  summary: 'Sends a request as a workload would: through its sidecar.',
  flags: {
    ...meshFlags,
    from: { type: 'string', value: 'WORKLOAD', help: 'who sends it: a pod or workload with a sidecar' },
    request: { type: 'string', short: 'X', value: 'METHOD', help: 'method (default GET, POST with data)' },
    header: { type: 'string', short: 'H', multiple: true, value: 'NAME: VALUE', help: 'a header; may repeat' },
    data: { type: 'string', short: 'd', multiple: true, value: 'DATA', help: 'body; @FILE reads it, @- from stdin' },
    json: { type: 'string', value: 'DATA', help: 'body and the headers for JSON' },
    include: { type: 'boolean', short: 'i', help: 'print status and headers too' },
    head: { type: 'boolean', short: 'I', help: 'send HEAD, print status and headers' },
    fail: { type: 'boolean', short: 'f', help: 'status 1 when the answer is 400 or more' },
    silent: { type: 'boolean', short: 's', help: 'no messages about failures' },
    'max-time': { type: 'string', short: 'm', value: 'SECONDS', help: 'give up after (default 60)' },
  },
  examples: ["mizzen curl --from orders http://catalog:8080/products -H 'x-user: beta'"],
  run(invocation) {
    const { positionals, values, out, err } = invocation;
    const from = text(values, 'from');
    const [target] = positionals;
    if (target === undefined || positionals.length > 1) throw new UsageError('one URL is needed');
    if (from === undefined) throw new UsageError('who sends it? give --from WORKLOAD');
    const request = outgoing(target, values);
    return talk(invocation, async () => {
      const { workload, pod } = await findWorkload(client(values), from, text(values, 'namespace'));
      const sender = pod ?? workload.pods.find((p) => p.httpProxy !== '' && p.ready) ?? workload.pods[0];
      if (sender === undefined || sender.httpProxy === '') {
        err.write(`mizzen: \`${from}\` has no sidecar to send through\n`);
        return 1;
      }
      try {
        const response = await send(sender.httpProxy, request);
        if (flag(values, 'include') || flag(values, 'head')) out.write(response.head);
        let empty = true;
        for await (const chunk of response.body) {
          empty = false;
          out.write(chunk as Buffer);
        }
        const shown = flag(values, 'include') || flag(values, 'head') || flag(values, 'silent');
        if (empty && response.status >= 400 && !shown) err.write(`mizzen: ${withoutBody(response.status, request)}\n`);
        return flag(values, 'fail') && response.status >= 400 ? 1 : 0;
      } catch (error) {
        if (!flag(values, 'silent')) err.write(`mizzen: ${(error as Error).message}\n`);
        return 1;
      }
    });
  },
};

/** Whoever asked for something and sees nothing is told what came instead. */
function withoutBody(status: number, { url, method }: Outgoing): string {
  return `${method} ${url.href} was answered ${status}, without a body; \`-i\` shows its head, \`mizzen explain\` says why`;
}

function outgoing(target: string, values: Parameters<typeof text>[0]): Outgoing {
  const url = URL.parse(target.includes('://') ? target : `http://${target}`);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`\`${target}\` is not an HTTP URL`);
  const json = text(values, 'json');
  const data = [...list(values, 'data').map(body), ...(json === undefined ? [] : [body(json)])];
  const headers: [string, string][] = list(values, 'header').map((line) => {
    const [, name, value] = /^([^:\s]+)[:;]\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) throw new UsageError(`\`${line}\` is not NAME: VALUE`);
    return [name, value ?? ''];
  });
  const has = (name: string): boolean => headers.some(([n]) => n.toLowerCase() === name);
  if (data.length > 0 && !has('content-type')) {
    headers.push(['content-type', json === undefined ? 'application/x-www-form-urlencoded' : 'application/json']);
  }
  const seconds = Number(text(values, 'max-time') ?? '60');
  if (!(seconds > 0)) throw new UsageError(`--max-time: \`${text(values, 'max-time')}\` is not a number of seconds`);
  const method = flag(values, 'head') ? 'HEAD' : data.length > 0 ? 'POST' : 'GET';
  return {
    url,
    method: text(values, 'request') ?? method,
    headers,
    body: data.length === 0 ? undefined : Buffer.from(data.join('&')),
    timeoutMs: seconds * 1000,
  };
}

function body(data: string): string {
  if (!data.startsWith('@')) return data;
  return readFileSync(data === '@-' ? 0 : data.slice(1), 'utf8').replaceAll(/[\r\n]/g, '');
}

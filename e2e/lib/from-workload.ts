import { Agent, request } from 'node:http';
import type { Answer, Mesh } from './mesh.ts';

/** Sends requests as a workload would: through its sidecar's HTTP proxy port, on connections that are kept. */
export interface Sender {
  get(url: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

interface WorkloadDetail {
  readonly pods: readonly { readonly httpProxy: string }[];
}

export async function fromWorkload(mesh: Mesh, namespace: string, name: string, connections = 8): Promise<Sender> {
  const { status, body } = await mesh.api(`/api/workloads/${namespace}/${name}`);
  if (status !== 200) throw new Error(`no workload ${namespace}/${name}: ${status} ${body}`);
  const proxy = (JSON.parse(body) as WorkloadDetail).pods[0]?.httpProxy;
  if (proxy === undefined || proxy === '') throw new Error(`${namespace}/${name} has no HTTP proxy port: ${body}`);
  const [address, port] = proxy.split(':') as [string, string];
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    get: (url, headers = {}) =>
      new Promise((resolve, reject) => {
        const options = {
          host: address,
          port: Number(port),
          path: url,
          headers: { ...headers, host: new URL(url).host },
          agent,
          timeout: 60_000,
        };
        const outgoing = request(options, (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (data: string) => (text += data));
          response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
          response.on('error', reject);
        });
        outgoing.on('error', reject);
        outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 30 s')));
        outgoing.end();
      }),
  };
}

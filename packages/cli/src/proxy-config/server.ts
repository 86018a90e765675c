import type { ConfigDump, ServiceEndpoints, SyncStatus } from '@mizzen/control-plane';
import { ApiError } from '@mizzen/runtime/supervisor/api-client.ts';
import { type Invocation, IstioctlError, text } from '../command.ts';
import { type Candidate, lookUp } from '../find-workload.ts';
import { INCORRECT_USAGE } from '../pflag.ts';
import { client } from '../running.ts';

/** A control plane's debug endpoints. All methods throw ApiError. */
export interface DebugServer {
  /** Of the proxy of a workload, with its endpoints. Throws LookUpError, too. */
  configDump(workload: string, namespace: string | undefined): Promise<ConfigDump>;
  syncz(): Promise<readonly SyncStatus[]>;
  /** Of the proxy of a workload, with what it lacks. Throws LookUpError, too. */
  syncOf(workload: string, namespace: string | undefined): Promise<SyncStatus>;
}

/** The server at `--api`, or the running mesh. */
export function serverOf(values: Invocation['values']): DebugServer {
  const address = text(values, 'api');
  const other = ['state-dir', 'mesh-name', 'name'].find((flag) => values[flag] !== undefined);
  if (address !== undefined && other !== undefined) {
    throw new IstioctlError(`--${other}: with --api it is said where the server is`, { status: INCORRECT_USAGE });
  }
  const get = address === undefined ? <T>(path: string) => client(values).get<T>(path) : at(address);
  const syncz = (): Promise<readonly SyncStatus[]> => get<readonly SyncStatus[]>('/debug/syncz');
  const nodeOf = async (workload: string, namespace: string | undefined): Promise<string> =>
    (await find(await syncz(), () => get('/debug/endpointz'), workload, namespace)).mizzen.node;
  return {
    syncz,
    async syncOf(workload, namespace) {
      const query = new URLSearchParams({ proxyID: await nodeOf(workload, namespace) });
      return (await get<readonly SyncStatus[]>(`/debug/syncz?${query.toString()}`))[0]!;
    },
    async configDump(workload, namespace) {
      const query = new URLSearchParams({ proxyID: await nodeOf(workload, namespace), include_eds: 'true' });
      return get<ConfigDump>(`/debug/config_dump?${query.toString()}`);
    },
  };
}

/** The proxy of the workload that was meant, the first of several. @throws LookUpError */
async function find(
  all: readonly SyncStatus[],
  endpoints: () => Promise<readonly ServiceEndpoints[]>,
  workload: string,
  namespace: string | undefined,
): Promise<SyncStatus> {
  type Proxy = Candidate & { readonly address: string; readonly status: SyncStatus };
  const candidates = all.map((status): Proxy => {
    const [, address = ''] = status.mizzen.node.split('~');
    const dot = status.proxy.lastIndexOf('.');
    const pod = status.proxy.slice(0, dot);
    const owner = status.mizzen.workload === '' ? pod : status.mizzen.workload;
    const app = status.mizzen.labels['app'];
    return { namespace: status.proxy.slice(dot + 1), pod, owner: { kind: '', name: owner }, app, address, status };
  });
  const found = await lookUp(candidates, workload, {
    namespace,
    async ofService(name, wanted, here) {
      const behind = (await endpoints()).filter(({ svc }) => {
        const [host, of] = svc.split('.');
        return host === name && (wanted === undefined || of === wanted);
      });
      const addresses = new Set(behind.flatMap(({ ep }) => ep.map(({ address }) => address)));
      return here.filter(({ address }) => addresses.has(address));
    },
  });
  return found.pods[0]!.status;
}

function at(address: string): <T>(path: string) => Promise<T> {
  const base = URL.parse(address.includes('://') ? address : `http://${address}`);
  if (base === null) throw new IstioctlError(`--api: \`${address}\` is not HOST:PORT`, { status: INCORRECT_USAGE });
  return async <T>(path: string): Promise<T> => {
    const url = new URL(path, base);
    let response: Response;
    try {
      response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new ApiError('unreachable', `nothing answers at ${url.origin}: ${(cause as Error).message}`);
    }
    const answer = (await response.json().catch(() => undefined)) as
      | (T & { readonly error?: { readonly code: string; readonly message: string } })
      | undefined;
    if (answer === undefined) {
      throw new ApiError('no-control-plane', `${url.origin} is no control plane: ${path} is not JSON there`);
    }
    if (!response.ok)
      throw new ApiError(answer.error?.code ?? `http-${response.status}`, answer.error?.message ?? url.href);
    return answer;
  };
}

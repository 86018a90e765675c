import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { PodAnswer, ServicesAnswer, WorkloadAnswer, WorkloadsAnswer } from '@mizzen/runtime/api/types.ts';
import { ApiClient, ApiError } from '@mizzen/runtime/supervisor/api-client.ts';
import { isMeshName, stateDirectory } from '@mizzen/runtime/supervisor/state-dir.ts';
import { common, type Invocation, text, UsageError } from './command.ts';
import { type Candidate, LookUpError, lookUp } from './find-workload.ts';

/** Flags of every command that talks to a running mesh. */
export const meshFlags = { 'state-dir': common['state-dir'], name: common.name, namespace: common.namespace } as const;

export function meshName(values: Invocation['values']): string | undefined {
  const name = text(values, 'name');
  if (name !== undefined && !isMeshName(name)) {
    throw new UsageError(
      `\`${name}\` cannot be the name of a mesh`,
      'lowercase letters, digits and dashes, at most 63',
    );
  }
  return name;
}

/** The mesh that was meant: `--state-dir`, or the closest `.mizzen` from here upwards. */
export function client(values: Invocation['values']): ApiClient {
  const name = meshName(values);
  const given = text(values, 'state-dir');
  const stateDir = given ?? closest(process.cwd());
  return new ApiClient(
    stateDirectory({ ...(stateDir === undefined ? {} : { stateDir }), ...(name === undefined ? {} : { name }) }),
  );
}

function closest(from: string): string | undefined {
  for (let dir = resolve(from); ; dir = dirname(dir)) {
    if (existsSync(join(dir, '.mizzen'))) return join(dir, '.mizzen');
    if (dir === dirname(dir)) return undefined;
  }
}

/** Runs what talks to a mesh; its failures are one line each. */
export async function talk(invocation: Invocation, run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    invocation.err.write(`mizzen: ${error.message}\n`);
    return error.code === 'ambiguous' ? 2 : 1;
  }
}

export interface Named {
  readonly workload: WorkloadAnswer;
  /** When a pod was named. */
  readonly pod: PodAnswer | undefined;
}

/**
 * The workload that a person means: a pod, a workload, an `app` label or a Service, in that order, with `.NAMESPACE` or
 * a namespace given apart. Throws ApiError (`not-found`, `ambiguous`).
 */
export async function findWorkload(api: ApiClient, name: string, namespace: string | undefined): Promise<Named> {
  const { workloads } = await api.get<WorkloadsAnswer>('/api/workloads');
  type Pod = Candidate & { readonly workload: WorkloadAnswer; readonly answer: PodAnswer | undefined };
  const pods = workloads.flatMap((workload): Pod[] => {
    const of = (answer: PodAnswer | undefined): Pod => ({
      namespace: workload.namespace,
      pod: answer?.name ?? '',
      owner: workload,
      app: answer?.labels['app'],
      workload,
      answer,
    });
    // A workload without pods is one, too.
    return workload.pods.length === 0 ? [of(undefined)] : workload.pods.map(of);
  });
  try {
    const found = await lookUp(pods, name, {
      namespace,
      async ofService(short, wanted, here) {
        const { services } = await api.get<ServicesAnswer>('/api/services');
        const owners = services
          .filter((s) => s.hostname.split('.')[0] === short && (wanted === undefined || s.namespace === wanted))
          .flatMap((s) => s.endpoints.map((e) => `${s.namespace}/${e.workload}`));
        return here.filter(({ workload }) => owners.includes(`${workload.namespace}/${workload.name}`));
      },
    });
    const [{ workload, answer }] = found.pods as readonly [Pod, ...Pod[]];
    return { workload, pod: found.podNamed ? answer : undefined };
  } catch (error) {
    if (!(error instanceof LookUpError)) throw error;
    throw new ApiError(error.code, error.help === undefined ? error.message : `${error.message}; ${error.help}`);
  }
}

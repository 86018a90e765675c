/** A pod, by all that a person may call it. */
export interface Candidate {
  readonly namespace: string;
  readonly pod: string;
  /** The Deployment, StatefulSet, … that it is of, or itself for a pod of none; kind empty where that is not known. */
  readonly owner: { readonly kind: string; readonly name: string };
  readonly app: string | undefined;
}

/** Nobody or several were meant. */
export class LookUpError extends Error {
  readonly code: 'not-found' | 'ambiguous' | 'unknown-type';
  readonly help: string | undefined;
  constructor(code: LookUpError['code'], message: string, help?: string) {
    super(message);
    this.name = 'LookUpError';
    this.code = code;
    this.help = help;
  }
}

export interface LookUpOptions<T> {
  readonly namespace: string | undefined;
  /** Those of `here` behind a Service of this name; `namespace` undefined: in any. */
  readonly ofService: (
    name: string,
    namespace: string | undefined,
    here: readonly T[],
  ) => readonly T[] | Promise<readonly T[]>;
}

export interface Found<T> {
  /** All of one workload, or the one pod that was named. */
  readonly pods: readonly T[];
  /** It was a pod that was named, not its workload. */
  readonly podNamed: boolean;
}

/** istioctl's `TYPE/NAME`: type → kind. */
const TYPES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    Pod: ['pod', 'pods', 'po'],
    Deployment: ['deployment', 'deployments', 'deploy'],
    StatefulSet: ['statefulset', 'statefulsets', 'sts'],
    DaemonSet: ['daemonset', 'daemonsets', 'ds'],
    Job: ['job', 'jobs'],
    Service: ['service', 'services', 'svc'],
  }).flatMap(([kind, names]) => names.map((name) => [name, kind])),
);

/**
 * The workload that a person means by a pod's, workload's, `app` label's or Service's name, in that order, with
 * `.NAMESPACE` or a namespace given apart; with `TYPE/` before it only by that.
 * @throws LookUpError
 */
export async function lookUp<T extends Candidate>(
  candidates: readonly T[],
  given: string,
  { namespace, ofService }: LookUpOptions<T>,
): Promise<Found<T>> {
  const { kind, name } = typed(given);
  const [short, inName] = split(name, candidates);
  const wanted = namespace ?? inName;
  const here = candidates.filter((each) => wanted === undefined || each.namespace === wanted);
  const owned = here.filter(
    ({ owner }) => owner.name === short && (kind === undefined || owner.kind === '' || owner.kind === kind),
  );
  const byPod = here.filter(({ pod, owner }) => pod === short && (kind === 'Pod' || owner.name !== short));
  const ways: readonly (readonly [boolean, () => readonly T[] | Promise<readonly T[]>])[] = [
    [kind === undefined || kind === 'Pod', () => byPod],
    [kind !== 'Pod' && kind !== 'Service', () => owned],
    [kind === undefined, () => here.filter(({ app }) => app === short)],
    [kind === undefined || kind === 'Service', () => ofService(short, wanted, here)],
  ];
  for (const [index, [applies, way]] of ways.entries()) {
    const found = applies ? await way() : [];
    const workloads = [...new Set(found.map(workloadOf))];
    if (workloads.length > 1) throw new LookUpError('ambiguous', `\`${given}\` could be ${workloads.join(', ')}`);
    if (found.length > 0) return { pods: found, podNamed: index === 0 };
  }
  const known = [...new Set(here.map(({ owner }) => owner.name))].join(', ');
  throw new LookUpError('not-found', `no workload \`${given}\``, known === '' ? undefined : `there are ${known}`);
}

function workloadOf({ owner, namespace }: Candidate): string {
  return `${owner.name}.${namespace}`;
}

function typed(given: string): { readonly kind: string | undefined; readonly name: string } {
  const slash = given.indexOf('/');
  if (slash < 0) return { kind: undefined, name: given };
  const [type, name] = [given.slice(0, slash), given.slice(slash + 1)];
  const kind = TYPES[type.toLowerCase().split('.')[0] ?? ''];
  if (kind !== undefined) return { kind, name };
  throw new LookUpError(
    'unknown-type',
    `\`${type}\` is not a type of workload`,
    'pod, deployment, statefulset, service',
  );
}

/** `NAME.NAMESPACE`, unless something is called just that. */
function split(name: string, candidates: readonly Candidate[]): [string, string | undefined] {
  const dot = name.lastIndexOf('.');
  if (dot < 0 || candidates.some(({ pod, owner }) => pod === name || owner.name === name)) return [name, undefined];
  return [name.slice(0, dot), name.slice(dot + 1)];
}

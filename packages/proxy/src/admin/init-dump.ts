import { xxHash64 } from '../lb/xxhash64.ts';
import { json, type AdminAnswer, type AdminContext } from './context.ts';

/** `/init_dump`: listeners that wait, and what for. A `mask` of `listener` is for all there is, any other for nothing. */
export function initDump({ node }: AdminContext, query: URLSearchParams): AdminAnswer {
  const mask = query.get('mask') ?? '';
  if (mask !== '' && mask !== 'listener') return json({});
  const dumps = node.listeners.waiting().map(({ name, program, resource }) => ({
    name: `init manager Listener-local-init-manager ${name} ${xxHash64(JSON.stringify(resource))}`,
    target_names: [
      ...targets('FilterConfigSubscription init', namesOf(program.extensions.filter(({ waits }) => waits)), (each) =>
        node.extensions.answered(each),
      ),
      ...targets(
        'RdsRouteConfigSubscription RDS init',
        program.routeConfigs.map(({ name }) => name),
        (each) => node.routes.answered(each),
      ),
      ...targets('SdsApi', program.secretNames, (each) => node.secrets.answered(each)),
    ],
  }));
  return json(dumps.length === 0 ? {} : { unready_targets_dumps: dumps });
}

function targets(kind: string, names: readonly string[], answered: (name: string) => boolean): string[] {
  return names.filter((name) => !answered(name)).map((name) => `shared target ${kind} ${name}`);
}

function namesOf(all: readonly { readonly name: string }[]): string[] {
  return all.map(({ name }) => name);
}

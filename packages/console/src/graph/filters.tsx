import type { GraphNode, Health } from '../api.ts';
import { byName } from '../format.ts';
import { Search } from '../parts/search.tsx';

export interface Filter {
  readonly namespace: string;
  readonly text: string;
  /** `4xx`: what answers some requests with client errors. */
  readonly health: Health | '4xx' | '';
  /** Only what has traffic. */
  readonly traffic: boolean;
}

export const NO_FILTER: Filter = { namespace: '', text: '', health: '', traffic: false };

/** Whether a node is what is looked for. */
export function matches(node: GraphNode, { text, health }: Filter): boolean {
  if (health === '4xx' ? node.clientErrorRate === 0 : health !== '' && node.health !== health) return false;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const all = `${node.name} ${node.app} ${node.version} ${node.namespace} ${node.engine} ${node.kind}`.toLowerCase();
  return words.every((word) => all.includes(word));
}

/** What is found first: what is called so, then what begins so, then the first that matches. */
export function firstHit(nodes: readonly GraphNode[], filter: Filter): GraphNode | undefined {
  const found = nodes.filter((node) => matches(node, filter)).toSorted((a, b) => byName(a.name, b.name));
  const text = filter.text.trim().toLowerCase();
  return (
    found.find(({ name }) => name.toLowerCase() === text) ??
    found.find(({ name }) => name.toLowerCase().startsWith(text)) ??
    found[0]
  );
}

interface FiltersProps {
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
  readonly namespaces: readonly string[];
  /** Opens what is found first. */
  readonly onEnter: () => void;
}

export function Filters({ filter, onChange, namespaces, onEnter }: FiltersProps): React.JSX.Element {
  return (
    <form
      className="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onEnter();
      }}
    >
      <Search label="Find" value={filter.text} onChange={(text) => onChange({ ...filter, text })} />
      <label>
        <span className="hidden">Namespace</span>
        <select value={filter.namespace} onChange={(event) => onChange({ ...filter, namespace: event.target.value })}>
          <option value="">All namespaces</option>
          {namespaces.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        <span className="hidden">Health</span>
        <select
          value={filter.health}
          onChange={(event) => onChange({ ...filter, health: event.target.value as Filter['health'] })}
        >
          <option value="">Any health</option>
          <option value="failing">Failing</option>
          <option value="degraded">Degraded</option>
          <option value="healthy">Healthy</option>
          <option value="idle">Idle</option>
          <option value="4xx">With client errors (4xx)</option>
        </select>
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={filter.traffic}
          onChange={(event) => onChange({ ...filter, traffic: event.target.checked })}
        />
        With traffic only
      </label>
    </form>
  );
}

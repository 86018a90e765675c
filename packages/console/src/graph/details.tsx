import type { Graph, GraphEdge, GraphNode } from '../api.ts';
import { HEALTH_MARK, milliseconds, percent, protocol, rate } from '../format.ts';
import { Icon } from '../parts/icon.tsx';
import { Spark } from '../parts/spark.tsx';
import { address } from '../route.ts';
import { graphStore } from './store.ts';

interface DetailsProps {
  readonly graph: Graph;
  readonly selected: string | undefined;
  readonly onSelect: (id: string) => void;
  readonly onClose: () => void;
}

/** What is selected, in numbers; the whole mesh when nothing is. */
export function Details({ graph, selected, onSelect, onClose }: DetailsProps): React.JSX.Element {
  const node = graph.nodes.find(({ id }) => id === selected);
  const edge = graph.edges.find(({ id }) => id === selected);
  return (
    <aside className="details" aria-label="Details">
      {(node ?? edge) !== undefined && (
        <button type="button" className="close" aria-label="Close details" onClick={onClose}>
          <Icon name="close" />
        </button>
      )}
      {node !== undefined && <NodeDetails graph={graph} node={node} onSelect={onSelect} />}
      {edge !== undefined && <EdgeDetails graph={graph} edge={edge} onSelect={onSelect} />}
      {node === undefined && edge === undefined && <MeshDetails graph={graph} onSelect={onSelect} />}
    </aside>
  );
}

type PartProps = Pick<DetailsProps, 'graph' | 'onSelect'>;

function MeshDetails({ graph, onSelect }: PartProps): React.JSX.Element {
  const busiest = graph.edges.toSorted(
    (a, b) => b.errorRate - a.errorRate || b.clientErrorRate - a.clientErrorRate || b.requestRate - a.requestRate,
  );
  const troubled = graph.nodes.filter(({ health }) => health === 'failing' || health === 'degraded');
  return (
    <>
      <h2>Mesh</h2>
      <dl className="facts">
        <dt>Workloads</dt>
        <dd>{graph.nodes.filter(({ kind }) => kind === 'workload' || kind === 'gateway').length}</dd>
        <dt>Connections</dt>
        <dd>{graph.edges.length}</dd>
        <dt>Rates over</dt>
        <dd>{graph.window} s</dd>
      </dl>
      {troubled.length > 0 && (
        <>
          <h3>Needs attention</h3>
          <ul className="plain">
            {troubled.slice(0, 12).map((node) => (
              <li key={node.id}>
                <button type="button" className="link" onClick={() => onSelect(node.id)}>
                  <Mark health={node.health} /> {node.name}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>Connections</h3>
      {busiest.length === 0 ? (
        <p className="quiet">No request has been sent yet.</p>
      ) : (
        <EdgeTable graph={graph} edges={busiest.slice(0, 40)} onSelect={onSelect} />
      )}
    </>
  );
}

function NodeDetails({ graph, node, onSelect }: PartProps & { readonly node: GraphNode }): React.JSX.Element {
  const mesh = node.kind === 'workload' || node.kind === 'gateway';
  const history = graphStore.history(node.id);
  const into = graph.edges.filter(({ target }) => target === node.id);
  const out = graph.edges.filter(({ source }) => source === node.id);
  const gateway = node.kind === 'gateway';
  return (
    <>
      <h2>
        <Mark health={node.health} /> {node.name}
      </h2>
      <p className="quiet">{node.kind === 'external' ? 'Outside the mesh' : `${node.kind} in ${node.namespace}`}</p>
      <dl className="facts">
        {node.version !== '' && <Fact name="Version" value={node.version} />}
        {mesh && <Fact name="Ready" value={`${node.ready} of ${node.replicas}`} />}
        {mesh && <Fact name="State" value={node.state} />}
        {mesh && (
          <Fact name="Proxy" value={node.engine === '' ? 'none' : node.engine === 'envoy' ? 'Envoy' : 'Mizzen'} />
        )}
      </dl>
      {mesh && (
        <p className="links">
          <a href={address('workload', { workload: `${node.namespace}/${node.name}` })}>Workload</a>
          <a href={address('logs', { workload: `${node.namespace}/${node.name}` })}>Logs</a>
        </p>
      )}
      {history !== undefined && (node.requestRate > 0 || (gateway ? out : into).length > 0) && (
        <>
          <Spark
            label={gateway ? 'Requests passed on' : 'Requests in'}
            values={history.requests}
            text={rate(node.requestRate)}
          />
          <Spark
            label="Failing"
            tone="error"
            values={history.errors}
            text={percent(node.errorRate, node.requestRate)}
          />
          <Spark
            label="Client errors (4xx)"
            tone="refused"
            values={history.clientErrors}
            text={percent(node.clientErrorRate, node.requestRate)}
          />
        </>
      )}
      <h3>From</h3>
      {into.length === 0 ? (
        <p className="quiet">Nobody in the mesh.</p>
      ) : (
        <EdgeTable graph={graph} edges={into} onSelect={onSelect} side="source" />
      )}
      <h3>To</h3>
      {out.length === 0 ? (
        <p className="quiet">Nobody.</p>
      ) : (
        <EdgeTable graph={graph} edges={out} onSelect={onSelect} side="target" />
      )}
    </>
  );
}

function EdgeDetails({ graph, edge, onSelect }: PartProps & { readonly edge: GraphEdge }): React.JSX.Element {
  const history = graphStore.history(edge.id);
  const name = (id: string): string => graph.nodes.find((node) => node.id === id)?.name ?? id;
  return (
    <>
      <h2>
        <Mark health={edge.health} /> Connection
      </h2>
      <p className="links">
        <button type="button" className="link" onClick={() => onSelect(edge.source)}>
          {name(edge.source)}
        </button>
        <span aria-hidden="true">→</span>
        <button type="button" className="link" onClick={() => onSelect(edge.target)}>
          {name(edge.target)}
        </button>
      </p>
      <dl className="facts">
        <dt>Service</dt>
        <dd>
          {edge.service === '' ? (
            'hosts nobody declared'
          ) : (
            <a href={address('service', { host: edge.service })}>{`${edge.service}:${edge.port}`}</a>
          )}
        </dd>
        <Fact name="Protocol" value={protocol(edge.protocol)} />
        <Fact name="Mutual TLS" value={edge.mtls ? 'yes' : 'no'} />
        <Fact name="p50" value={milliseconds(edge.p50)} />
        <Fact name="p99" value={milliseconds(edge.p99)} />
      </dl>
      {edge.latencyShared && (
        <p className="quiet">Latencies are those of all workloads behind the service: they are counted together.</p>
      )}
      {history !== undefined && (
        <>
          <Spark label="Requests" values={history.requests} text={rate(edge.requestRate)} />
          <Spark
            label="Failing"
            tone="error"
            values={history.errors}
            text={percent(edge.errorRate, edge.requestRate)}
          />
          <Spark
            label="Client errors (4xx)"
            tone="refused"
            values={history.clientErrors}
            text={percent(edge.clientErrorRate, edge.requestRate)}
          />
          <Spark label="p99" values={history.p99} text={milliseconds(edge.p99)} />
        </>
      )}
    </>
  );
}

interface EdgeTableProps extends PartProps {
  readonly edges: readonly GraphEdge[];
  /** Only this end is named. */
  readonly side?: 'source' | 'target';
}

function EdgeTable({ graph, edges, side, onSelect }: EdgeTableProps): React.JSX.Element {
  const names = new Map(graph.nodes.map(({ id, name }) => [id, name]));
  return (
    <table className="edges">
      <thead>
        <tr>
          <th scope="col">{side === undefined ? 'Connection' : 'Workload'}</th>
          <th scope="col">Rate</th>
          <th scope="col">Fail</th>
          <th scope="col">4xx</th>
          <th scope="col">p99</th>
        </tr>
      </thead>
      <tbody>
        {edges.map((edge) => (
          <tr key={edge.id}>
            <th scope="row">
              <button type="button" className="link" onClick={() => onSelect(edge.id)}>
                {side === undefined
                  ? `${names.get(edge.source) ?? ''} → ${names.get(edge.target) ?? ''}`
                  : (names.get(edge[side]) ?? '')}
              </button>
            </th>
            <td>{rate(edge.requestRate)}</td>
            <td className={edge.errorRate > 0 ? 'bad' : undefined}>{percent(edge.errorRate, edge.requestRate)}</td>
            <td className={edge.clientErrorRate > 0 ? 'refused' : undefined}>
              {percent(edge.clientErrorRate, edge.requestRate)}
            </td>
            <td>{milliseconds(edge.p99)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }): React.JSX.Element {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

function Mark({ health }: { readonly health: GraphNode['health'] }): React.JSX.Element {
  return (
    <span className={`mark ${health}`} role="img" aria-label={health}>
      {HEALTH_MARK[health]}
    </span>
  );
}

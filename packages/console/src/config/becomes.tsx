import type { ConfigResource } from '../api.ts';
import type { BecomesAnswer } from '../gen/answers.ts';
import { Problem } from '../parts/problem.tsx';
import { useLive } from '../use-live.ts';

/** What proxies are sent because of a resource. */
export function BecomesView({ resource }: { readonly resource: ConfigResource }): React.JSX.Element {
  const { apiVersion, kind, namespace, name } = resource;
  const query = new URLSearchParams({ apiVersion, kind, namespace, name });
  const { value, problem } = useLive<BecomesAnswer>(`/api/config/xds?${query.toString()}`, 4000);
  return (
    <section className="becomes" aria-label="What it becomes">
      <h2>
        What {kind} {name} becomes
      </h2>
      <Problem text={problem} />
      {value?.resources.length === 0 && (
        <p className="quiet">No listener, route or cluster of a running proxy comes from it.</p>
      )}
      {(value?.resources ?? []).map((each) => (
        <details key={`${each.type} ${each.name} ${each.proxies[0] ?? ''}`}>
          <summary>
            {each.type} <code>{each.name}</code>{' '}
            <span className="quiet">
              {each.proxies.length <= 3 ? each.proxies.join(', ') : `${each.proxies.length} proxies`}
            </span>
          </summary>
          {each.parts.map(({ path, value: part, source }) => (
            <figure key={path} className="part">
              <figcaption>
                <code>{path === '' ? 'the whole' : path}</code> <span className="fine">{source}</span>
              </figcaption>
              <pre className="code" tabIndex={0} aria-label={`${each.name} ${path}`}>
                {JSON.stringify(part, null, 2)}
              </pre>
            </figure>
          ))}
        </details>
      ))}
      {value !== undefined && value.total > value.resources.length && (
        <p className="quiet">and {value.total - value.resources.length} more</p>
      )}
    </section>
  );
}

import { useMemo, useState } from 'react';
import { useLive } from '../use-live.ts';
import { Problem } from './problem.tsx';

type Json = Readonly<Record<string, unknown>>;

interface ConfigDump {
  readonly configs: readonly Json[];
}

export interface XdsResource {
  /** `Clusters`, `Listeners` and so on. */
  readonly type: string;
  readonly name: string;
  readonly value: Json;
}

/** All that a proxy is to have, as Envoy's own dump of it. */
export function ProxyResources({ id }: { readonly id: string }): React.JSX.Element {
  const query = new URLSearchParams({ proxyID: id, include_eds: 'true' });
  const { value, problem } = useLive<ConfigDump>(`/debug/config_dump?${query.toString()}`, 5000);
  const resources = useMemo(() => (value === undefined ? [] : resourcesIn(value)), [value]);
  const types = [...new Set(resources.map(({ type }) => type))];
  const [type, setType] = useState('Listeners');
  const [opened, setOpened] = useState('');
  const shown = resources.filter((each) => each.type === type);
  return (
    <section aria-label="What it is to have">
      <Problem text={problem} />
      <div className="tabs" role="group" aria-label="Kinds of resources">
        {types.map((each) => (
          <button
            key={each}
            type="button"
            className="tab"
            aria-pressed={each === type}
            onClick={() => {
              setType(each);
              setOpened('');
            }}
          >
            {each} <span className="quiet">{resources.filter((one) => one.type === each).length}</span>
          </button>
        ))}
      </div>
      <ul className="plain resources">
        {shown.map(({ name, value: json }) => (
          <li key={name}>
            <button
              type="button"
              className="link mono"
              aria-expanded={name === opened}
              onClick={() => setOpened(name === opened ? '' : name)}
            >
              {name}
            </button>
            {name === opened && (
              <pre className="code" tabIndex={0} aria-label={name}>
                {JSON.stringify(json, null, 2)}
              </pre>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Envoy wraps each kind in its own way; within, there is always the resource with its type. */
export function resourcesIn({ configs }: ConfigDump): XdsResource[] {
  return configs.flatMap((part) => {
    const type = /\.(\w+?)ConfigDump$/.exec(String(part['@type']))?.[1] ?? '';
    const { bootstrap } = part;
    if (isJson(bootstrap)) return [{ type: 'Bootstrap', name: 'bootstrap', value: bootstrap }];
    return Object.values(part).flatMap((list) =>
      Array.isArray(list)
        ? list.flatMap((entry: unknown) => {
            const value = innermost(entry);
            if (value === undefined) return [];
            const names = [value['name'], value['clusterName'], isJson(entry) ? entry['name'] : undefined];
            return [{ type, name: names.find((name) => typeof name === 'string') ?? '', value }];
          })
        : [],
    );
  });
}

function innermost(entry: unknown): Json | undefined {
  if (!isJson(entry)) return undefined;
  if (typeof entry['@type'] === 'string') return entry;
  for (const value of Object.values(entry)) {
    const found = innermost(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { useEffect, useRef, useState } from 'react';
import { post } from '../api.ts';
import { type Draft, setDraft, useDraft } from '../config/drafts.ts';
import { type Fault, FaultForm } from '../config/fault-form.tsx';
import { Review } from '../config/review.tsx';
import { sharesOf, withShare } from '../config/shares.ts';
import type { Route, VirtualService } from '../config/types.ts';
import type { RoutesAnswer } from '../gen/answers.ts';
import { useFile } from '../config/use-file.ts';
import { usePreview } from '../config/use-preview.ts';
import { Problem } from '../parts/problem.tsx';
import { TokenForm } from '../parts/token-form.tsx';
import { address, useRoute } from '../route.ts';
import { useToken } from '../token.ts';
import { useLive } from '../use-live.ts';
import '../config/config.css';
import '../config/traffic.css';

/** How requests are split between versions, and what faults they meet: changed by hand, written as YAML. */
export default function TrafficPage(): React.JSX.Element {
  const { query } = useRoute();
  const token = useToken();
  const { value, problem } = useLive<RoutesAnswer>('/api/config/routes');
  const all = value?.virtualServices ?? [];
  const chosen = query.get('route') ?? '';
  return (
    <div className="page">
      <header className="bar">
        <h1>Traffic</h1>
        <p className="quiet">Nothing is written before it has been shown.</p>
      </header>
      <Problem text={problem} />
      <div className="scroll" tabIndex={0} role="region" aria-label="Routes">
        {token === '' && <TokenForm />}
        {value !== undefined && all.length === 0 && (
          <p className="empty">No VirtualService in the files of this mesh sends HTTP requests anywhere.</p>
        )}
        {all.map((service) => {
          const id = `${service.namespace}/${service.name}`;
          return <Service key={id} service={service} open={id === chosen} mayEdit={token !== ''} />;
        })}
      </div>
    </div>
  );
}

interface ServiceProps {
  readonly service: VirtualService;
  readonly open: boolean;
  readonly mayEdit: boolean;
}

function Service({ service, open, mayEdit }: ServiceProps): React.JSX.Element {
  const { namespace, name, file, line, hosts, routes } = service;
  const id = `${namespace}/${name}`;
  return (
    <section className="routes" aria-label={`VirtualService ${id}`}>
      <h2>
        {hosts.join(', ')}{' '}
        <a className="fine" href={address('config', { file, line: String(line) })}>
          {id} in {file}
        </a>
      </h2>
      {routes.map((route) => (
        <div key={route.index} className="route">
          <p>
            <strong>{route.name === '' ? `Route ${route.index + 1}` : route.name}</strong>{' '}
            <span className="quiet">{route.match === '' ? 'every request' : route.match}</span>{' '}
            <span className="fine">{faultText(route)}</span>
          </p>
          <Shares shares={sharesOf(route.destinations.map(({ weight }) => weight))} route={route} />
        </div>
      ))}
      {mayEdit && (
        <a className="button link-button" href={address('traffic', { route: open ? '' : id })} aria-expanded={open}>
          {open ? 'Close' : 'Change'}
        </a>
      )}
      {open && mayEdit && <EditRoutes service={service} />}
    </section>
  );
}

const nameOf = ({ host, subset }: Route['destinations'][number]): string =>
  subset === '' ? host : `${host} ${subset}`;

function faultText({ fault: { delay, abort } }: Route): string {
  const texts = [
    delay === null ? '' : `${delay.percentage}% delayed by ${delay.fixedDelay}`,
    abort === null
      ? ''
      : `${abort.percentage}% answered ${abort.httpStatus === 0 ? abort.grpcStatus : abort.httpStatus}`,
  ];
  return texts.filter((text) => text !== '').join(', ');
}

/** As a bar, and in numbers. */
function Shares({ shares, route }: { readonly shares: readonly number[]; readonly route: Route }): React.JSX.Element {
  return (
    <ul className="shares" aria-label="Shares">
      {route.destinations.map((destination, index) => (
        <li
          key={nameOf(destination)}
          className={`share-${index % 6}`}
          style={{ flexGrow: Math.max(shares[index]!, 0.5) }}
        >
          <span>
            {nameOf(destination)} {shares[index]}%
          </span>
        </li>
      ))}
    </ul>
  );
}

type EditBody =
  | {
      readonly route: number;
      readonly weights: readonly number[];
      readonly added: readonly { readonly subset: string; readonly weight: number }[];
    }
  | { readonly route: number; readonly fault: Fault | null };

function EditRoutes({ service }: { readonly service: VirtualService }): React.JSX.Element {
  const { file, namespace, name, routes } = service;
  const token = useToken();
  const { value: disk, problem: unread, again } = useFile(file);
  const draft = useDraft(file);
  const previewed = usePreview(file, draft?.text);
  const [problem, setProblem] = useState<string>();
  // Every change begins anew with the text that was there first: what was moved to and fro leaves nothing behind.
  const start = useRef<Draft>(undefined);
  const edits = useRef(new Map<string, EditBody>());
  const turn = useRef(0);
  const [generation, setGeneration] = useState(0);
  const drafted = draft !== undefined;
  useEffect(() => {
    if (drafted || start.current === undefined) return;
    start.current = undefined;
    edits.current.clear();
    setGeneration((before) => before + 1);
  }, [drafted]);
  const edit = async (what: string, body: EditBody): Promise<void> => {
    if (disk === undefined) return;
    const begun = (start.current ??= draft ?? { text: disk.text, base: disk.text, version: disk.version });
    edits.current.set(`${body.route} ${what}`, body);
    const mine = ++turn.current;
    try {
      let { text } = begun;
      for (const each of edits.current.values()) {
        const asked = { text, namespace, name, ...each };
        ({ text } = await post<{ readonly text: string }>('/api/config/edit', asked, token));
      }
      if (mine !== turn.current) return;
      setDraft(file, { ...begun, text });
      setProblem(undefined);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div className="edit-routes">
      <Problem text={problem ?? unread ?? previewed.problem} />
      {routes.map((route) => (
        // What is changed before the file is here would be lost.
        <fieldset key={`${route.index} ${generation}`} disabled={disk === undefined}>
          <legend>
            {route.name === '' ? `Route ${route.index + 1}` : route.name}:{' '}
            {route.match === '' ? 'every request' : route.match}
          </legend>
          {route.destinations.length + route.others.length > 1 && (
            <Sliders
              route={route}
              onChange={(weights) => edit('weights', { route: route.index, ...splitOf(route, weights) })}
            />
          )}
          <FaultForm route={route} onChange={(fault) => edit('fault', { route: route.index, fault })} />
        </fieldset>
      ))}
      {draft !== undefined && disk !== undefined && (
        <Review
          file={file}
          draft={draft}
          disk={disk}
          preview={previewed.preview}
          pending={previewed.pending}
          onWritten={() => {
            again();
            location.hash = address('traffic');
          }}
        />
      )}
    </div>
  );
}

/** Those that get requests, and those that might. */
function versionsOf({ destinations, others }: Route): Route['destinations'] {
  const host = destinations[0]?.host ?? '';
  return [...destinations, ...others.map((other) => ({ host, ...other, weight: 0 }))];
}

/** The weights of what is written, and of what comes to it. */
function splitOf(
  { destinations, others }: Route,
  weights: readonly number[],
): Omit<Extract<EditBody, { readonly weights: unknown }>, 'route'> {
  const own = destinations.length;
  return {
    weights: weights.slice(0, own),
    added: others
      .map(({ subset }, index) => ({ subset, weight: weights[own + index] ?? 0 }))
      .filter(({ weight }) => weight > 0),
  };
}

const QUIET_MS = 200;

/** One slider for two versions; one for each where there are more. */
function Sliders({
  route,
  onChange,
}: {
  readonly route: Route;
  readonly onChange: (weights: readonly number[]) => Promise<void>;
}): React.JSX.Element {
  const all = versionsOf(route);
  const current = sharesOf(all.map(({ weight }) => weight));
  const [weights, setWeights] = useState<readonly number[]>(current);
  const [asked, setAsked] = useState<readonly number[]>();
  useEffect(() => {
    if (asked === undefined) return undefined;
    const timer = setTimeout(() => void onChange(asked), QUIET_MS);
    return () => clearTimeout(timer);
    // What is asked for counts; the rest only says how.
  }, [asked]);
  const set = (index: number, share: number): void => {
    const next = withShare(weights, index, share);
    setWeights(next);
    setAsked(next);
  };
  const last = all.length - 1;
  const shown = last === 1 ? [0] : all.map((_, index) => index);
  return (
    <div className="sliders">
      {shown.map((index) => {
        const destination = all[index]!;
        return (
          <label key={nameOf(destination)}>
            <span>
              <span className="hidden">Share of </span>
              {nameOf(destination)} {weights[index]}%
            </span>
            {last === 1 && (
              <span className="other">
                {nameOf(all[1]!)} {weights[1]}%
              </span>
            )}
            <input
              type="range"
              min="0"
              max="100"
              step="1"
              value={weights[index]}
              aria-valuetext={all.map((each, at) => `${nameOf(each)} ${weights[at]}%`).join(', ')}
              onChange={(event) => set(index, Number(event.target.value))}
            />
          </label>
        );
      })}
    </div>
  );
}

import type { TrafficAnswer } from '../gen/answers.ts';
import { milliseconds, percent, rate } from '../format.ts';
import { Chart, Swatch } from './chart.tsx';

export type Traffic = TrafficAnswer;
/** Requests of one version, or from or to one other, over the last minutes. */
export type Series = Traffic['inbound'][number];

/** More lines than this nobody can tell apart; the busiest are drawn. */
const MOST = 6;
const PERCENTILES = ['p50', 'p90', 'p99'] as const;

interface RedProps {
  readonly title: string;
  /** What tells series apart: `Version`, `From` or `To`. */
  readonly by: string;
  readonly series: readonly Series[];
  readonly step: number;
  readonly nothing: string;
}

/** Rate, errors and durations, in charts and in a table that is their legend. */
export function Red({ title, by, series, step, nothing }: RedProps): React.JSX.Element {
  const busiest = series.toSorted((a, b) => b.total.requests - a.total.requests).slice(0, MOST);
  const shown = series.filter((each) => busiest.includes(each));
  const named = (
    values: (each: Series) => readonly (number | null)[],
  ): { name: string; values: readonly (number | null)[] }[] =>
    shown.map((each) => ({ name: each.name, values: values(each) }));
  return (
    <section className="red" aria-label={title}>
      <h2>{title}</h2>
      {series.length === 0 ? (
        <p className="quiet">{nothing}</p>
      ) : (
        <>
          <div className="charts">
            <Chart title="Requests a second" lines={named((each) => each.rate)} step={step} format={rate} />
            <Chart title="Failing" lines={named(failing)} step={step} format={(share) => percent(share, 1)} />
            <Chart
              title="Client errors (4xx)"
              lines={named(refused)}
              step={step}
              format={(share) => percent(share, 1)}
            />
            {PERCENTILES.map((which) => (
              <Chart
                key={which}
                title={`Duration, ${which}`}
                lines={named((each) => each[which])}
                step={step}
                format={milliseconds}
              />
            ))}
          </div>
          <table className="totals">
            <caption className="hidden">{title}: the last five minutes</caption>
            <thead>
              <tr>
                <th scope="col">{by}</th>
                <th scope="col">Requests</th>
                <th scope="col">Failing</th>
                <th scope="col">4xx</th>
                {PERCENTILES.map((which) => (
                  <th key={which} scope="col">
                    {which}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {series.map((each) => (
                <tr key={each.name}>
                  <th scope="row">
                    {shown.includes(each) && <Swatch index={shown.indexOf(each)} />}{' '}
                    {each.name === '' ? 'none' : each.name}
                  </th>
                  <td>{each.total.requests.toLocaleString('en')}</td>
                  <td className={each.total.errors > 0 ? 'bad' : undefined}>
                    {percent(each.total.errors, each.total.requests)}
                  </td>
                  <td className={each.total.clientErrors > 0 ? 'refused' : undefined}>
                    {percent(each.total.clientErrors, each.total.requests)}
                  </td>
                  {PERCENTILES.map((which) => (
                    <td key={which}>{milliseconds(each.total[which])}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </section>
  );
}

const failing = ({ rate: all, errorRate }: Series): (number | null)[] => shares(errorRate, all);
const refused = ({ rate: all, clientErrorRate }: Series): (number | null)[] => shares(clientErrorRate, all);

const shares = (parts: readonly number[], all: readonly number[]): (number | null)[] =>
  all.map((requests, index) => (requests === 0 ? null : (parts[index] ?? 0) / requests));

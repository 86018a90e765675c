import { age, byName } from '../format.ts';
import type { CertificatesAnswer } from '../gen/answers.ts';
import { Problem } from '../parts/problem.tsx';
import { address } from '../route.ts';
import { useLive } from '../use-live.ts';

/** The certificates of proxies: how old they are, and when the next comes. */
export default function CertificatesPage(): React.JSX.Element {
  const { value, problem } = useLive<CertificatesAnswer>('/api/certificates', 5000);
  const shown = (value?.certificates ?? []).toSorted((a, b) =>
    byName(`${a.namespace}/${a.pod}`, `${b.namespace}/${b.pod}`),
  );
  const now = Date.now();
  const until = (time: string): string => (time === '' ? 'not known' : age(Date.parse(time) - now));
  return (
    <div className="page">
      <header className="bar">
        <h1>Certificates</h1>
      </header>
      <Problem text={problem} />
      <div className="scroll" tabIndex={0} role="region" aria-label="Certificates">
        <table className="wide">
          <thead>
            <tr>
              <th scope="col">Pod</th>
              <th scope="col">Namespace</th>
              <th scope="col">Age</th>
              <th scope="col">Replaced in</th>
              <th scope="col">Expires in</th>
              <th scope="col">Identity</th>
              <th scope="col">Serial number</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((each) => (
              <tr key={each.node}>
                <th scope="row">
                  <a href={address('workloads', { workload: `${each.namespace}/${each.workload}` })}>{each.pod}</a>
                </th>
                <td>{each.namespace}</td>
                <td className="age">{each.issuedAt === '' ? 'not known' : age(now - Date.parse(each.issuedAt))}</td>
                <td className="age">{until(each.rotatesAt)}</td>
                <td className="age">{until(each.expiresAt)}</td>
                <td className="fine">{each.identity}</td>
                <td className="fine">{each.serial}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {value?.certificates.length === 0 && <p className="empty">No proxy has asked for a certificate.</p>}
      </div>
    </div>
  );
}

import { useId, useState } from 'react';
import type { Route } from './types.ts';

export interface Fault {
  readonly delay?: { readonly percentage: number; readonly fixedDelay: string };
  readonly abort?: { readonly percentage: number; readonly httpStatus?: number; readonly grpcStatus?: string };
}

const GRPC = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'INTERNAL', 'UNKNOWN', 'RESOURCE_EXHAUSTED', 'PERMISSION_DENIED'];

interface FaultFormProps {
  readonly route: Route;
  readonly onChange: (fault: Fault | null) => Promise<void>;
}

/** Delays and aborts of a route's requests. */
export function FaultForm({ route, onChange }: FaultFormProps): React.JSX.Element {
  const answers = useId();
  const { delay, abort } = route.fault;
  const [delayed, setDelayed] = useState(delay !== null);
  const [delayShare, setDelayShare] = useState(String(delay?.percentage ?? 10));
  const [duration, setDuration] = useState(delay?.fixedDelay ?? '2s');
  const [aborted, setAborted] = useState(abort !== null);
  const [abortShare, setAbortShare] = useState(String(abort?.percentage ?? 10));
  const [answer, setAnswer] = useState(
    abort === null ? '503' : abort.httpStatus === 0 ? abort.grpcStatus : String(abort.httpStatus),
  );
  const submit = (event: React.FormEvent): void => {
    event.preventDefault();
    const fault: Fault = {
      ...(delayed ? { delay: { percentage: Number(delayShare), fixedDelay: duration.trim() } } : {}),
      ...(aborted
        ? {
            abort: {
              percentage: Number(abortShare),
              ...(/^\d+$/.test(answer) ? { httpStatus: Number(answer) } : { grpcStatus: answer }),
            },
          }
        : {}),
    };
    void onChange(delayed || aborted ? fault : null);
  };
  return (
    <form className="faults" aria-label="Faults" onSubmit={submit}>
      <label className="check">
        <input type="checkbox" checked={delayed} onChange={(event) => setDelayed(event.target.checked)} />
        Delay
      </label>
      <Share
        value={delayShare}
        disabled={!delayed}
        label="Share of requests delayed, in percent"
        onChange={setDelayShare}
      />
      <label>
        by{' '}
        <input
          type="text"
          size={6}
          required
          pattern="(\d+(\.\d+)?(ms|s|m|h))+"
          title="A duration like 2s or 300ms"
          aria-label="Delay"
          value={duration}
          disabled={!delayed}
          onChange={(event) => setDuration(event.target.value)}
        />
      </label>
      <label className="check">
        <input type="checkbox" checked={aborted} onChange={(event) => setAborted(event.target.checked)} />
        Abort
      </label>
      <Share
        value={abortShare}
        disabled={!aborted}
        label="Share of requests aborted, in percent"
        onChange={setAbortShare}
      />
      <label>
        with{' '}
        <input
          type="text"
          size={10}
          required
          list={answers}
          pattern="[2-5]\d\d|[A-Z_]+"
          title="A status like 503, or one of gRPC like UNAVAILABLE"
          aria-label="Answer of aborted requests"
          value={answer}
          disabled={!aborted}
          onChange={(event) => setAnswer(event.target.value)}
        />
      </label>
      <datalist id={answers}>
        {['500', '503', '429', ...GRPC].map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <button type="submit" className="button">
        Show the change
      </button>
    </form>
  );
}

function Share({
  value,
  disabled,
  label,
  onChange,
}: {
  readonly value: string;
  readonly disabled: boolean;
  readonly label: string;
  readonly onChange: (value: string) => void;
}): React.JSX.Element {
  return (
    <label>
      <input
        type="number"
        min="0"
        max="100"
        step="any"
        required
        aria-label={label}
        value={value}
        disabled={disabled}
        onChange={(event) => onChange(event.target.value)}
      />
      {' %'}
    </label>
  );
}

import { useEffect, useRef } from 'react';

interface SearchProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** A field that `/` leads to from wherever nothing is being typed. */
export function Search({ label, value, onChange }: SearchProps): React.JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const placeholder = `${label} (press /)`;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <label>
      <span className="hidden">{label}</span>
      <input
        ref={input}
        type="search"
        placeholder={placeholder}
        // As wide as a field is anyway, or as what it says.
        size={Math.max(20, placeholder.length)}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement
  );
}

interface FindFormProps extends SearchProps {
  /** Opens what is found first. */
  readonly onEnter: () => void;
}

/** The search of a page that has no other filters. */
export function FindForm({ onEnter, ...search }: FindFormProps): React.JSX.Element {
  return (
    <form
      className="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onEnter();
      }}
    >
      <Search {...search} />
    </form>
  );
}

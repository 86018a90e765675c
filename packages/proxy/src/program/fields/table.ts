/**
 * One message's fields in three classes; names are separated by blanks. A field that is of no effect is accepted
 * when the API has what it holds; nothing else is asked of what is below it. `values` refuses single values of an implemented enum field.
 */
export interface MessageFields {
  readonly implemented?: string;
  /** Reason → fields. */
  readonly noEffect?: Readonly<Record<string, string>>;
  readonly refused?: Readonly<Record<string, string>>;
  /** Field → value → reason. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** By full message name. */
export type FieldTable = Readonly<Record<string, MessageFields>>;

export interface FieldClass {
  readonly class: 'implemented' | 'no effect' | 'refused';
  readonly reason: string;
  readonly refusedValues: Readonly<Record<string, string>> | undefined;
}

/** The table turned round: message → field → class. */
export function indexFields(tables: readonly FieldTable[]): ReadonlyMap<string, ReadonlyMap<string, FieldClass>> {
  const index = new Map<string, Map<string, FieldClass>>();
  for (const table of tables) {
    for (const [message, fields] of Object.entries(table)) {
      if (index.has(message)) throw new Error(`${message} is in two tables`);
      const byName = new Map<string, FieldClass>();
      const put = (names: string, kind: FieldClass['class'], reason: string): void => {
        for (const name of names.split(/\s+/).filter((n) => n !== '')) {
          if (byName.has(name)) throw new Error(`${message}.${name} is in two classes`);
          byName.set(name, { class: kind, reason, refusedValues: fields.values?.[name] });
        }
      };
      put(fields.implemented ?? '', 'implemented', '');
      for (const [reason, names] of Object.entries(fields.noEffect ?? {})) put(names, 'no effect', reason);
      for (const [reason, names] of Object.entries(fields.refused ?? {})) put(names, 'refused', reason);
      index.set(message, byName);
    }
  }
  return index;
}

/** Reasons that many fields share. */
export const NOT_SUPPORTED = 'not supported';
export const HTTP2_PORT = 'there is no HTTP/2 yet';

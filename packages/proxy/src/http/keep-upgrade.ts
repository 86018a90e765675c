import type { MessageParser } from '../codec/parser.ts';

/** Puts the fields of an upgrade, which the parser takes out, back where they were in `flat`. */
export function keepUpgrade(flat: string[], parser: MessageParser): void {
  const { connectionAt, upgradeAt, upgradeFirst, connection, upgrade } = parser;
  if (upgradeFirst) {
    flat.splice(connectionAt, 0, 'connection', connection);
    flat.splice(upgradeAt, 0, 'upgrade', upgrade);
  } else {
    flat.splice(upgradeAt, 0, 'upgrade', upgrade);
    flat.splice(connectionAt, 0, 'connection', connection);
  }
}

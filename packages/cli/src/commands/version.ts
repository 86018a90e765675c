import manifest from '../../package.json' with { type: 'json' };
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'version',
  usage: '',
  summary: 'Prints the version of Mizzen and of the Node it runs on.',
  flags: {},
  run({ out }) {
    out.write(`mizzen ${manifest.version} (node ${process.versions.node})\n`);
    return Promise.resolve(0);
  },
};

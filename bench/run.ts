/** `npm run bench`: every comparison, as the tables of docs/reference/performance.md. `npm run bench -- proxy|observability|start|mesh|churn|hot|codec|control-plane|console` runs one, and so does `growth`, an hour of it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const all = ['proxy', 'observability', 'start', 'mesh', 'churn', 'hot', 'codec', 'control-plane', 'console'];
/** What takes too long to be run with the others. */
const long = ['growth'];
const asked = process.argv.slice(2);
for (const name of asked.length > 0 ? asked : all) {
  if (![...all, ...long].includes(name)) {
    process.stderr.write(`there is no benchmark \`${name}\`; there are ${[...all, ...long].join(', ')}\n`);
    process.exit(2);
  }
  process.stdout.write(`\n## ${name}\n\n`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`)], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}

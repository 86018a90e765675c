import { levelOf, LOGGERS, type Level, type Logger } from '../process/logger.ts';
import { text, type AdminAnswer, type AdminContext } from './context.ts';

const USAGE = `usage: /logging?<name>=<level> (change single level)
usage: /logging?paths=name1:level1,name2:level2,... (change multiple levels)
usage: /logging?level=<level> (change all levels)
usage: /logging?group=<group_name>:<level> (change group of loggers)
levels: trace debug info warning error critical off 
`;

/** `/logging`: shows levels, and changes them first when told. */
export function logging({ logger }: AdminContext, query: URLSearchParams): AdminAnswer {
  // Of parameters with one name the first counts.
  const all = new Set(query.keys());
  if (all.size === 0) return text(levels(logger));
  const [name = ''] = all;
  const error = all.size > 1 ? 'invalid number of parameters' : change(logger, name, query.get(name) ?? '');
  if (error !== undefined) return text(`error: ${error}\n\n${USAGE}${levels(logger)}`, 400);
  return text(levels(logger));
}

function change(logger: Logger, name: string, value: string): string | undefined {
  // A parameter without a value asks for nothing.
  if (value === '') return undefined;
  if (name === 'level') {
    const level = exactly(value);
    if (level === undefined) return 'unknown logger level';
    logger.setAll(level);
    return undefined;
  }
  if (name === 'group') return 'group parameter requires fine-grain logging to be enabled';
  const pairs = name === 'paths' ? value.split(',').filter(Boolean).map(nameAndLevel) : [[name, value]];
  const changes: (readonly [string, Level])[] = [];
  for (const [of = '', wanted = ''] of pairs) {
    if (of === '' || wanted === '') return 'empty logger name or empty logger level';
    const level = exactly(wanted);
    if (level === undefined) return 'unknown logger level';
    if (!LOGGERS.includes(of)) return 'unknown logger name';
    changes.push([of, level]);
  }
  for (const [of, level] of changes) logger.set(of, level);
  return undefined;
}

/** `warn` is for the command line. */
function exactly(name: string): Level | undefined {
  return name === 'warn' ? undefined : levelOf(name);
}

function nameAndLevel(pair: string): [string, string] {
  const [name = '', ...level] = pair.split(':');
  return [name, level.join(':')];
}

function levels(logger: Logger): string {
  return `active loggers:\n${logger
    .levels()
    .map(([name, level]) => `  ${name}: ${level}\n`)
    .join('')}\n`;
}

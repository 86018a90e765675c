import type { Random } from '../random.ts';

const WORDS = [
  '---\n',
  '...\n',
  '%YAML 1.2\n---\n',
  '\t',
  '&a ',
  '*a',
  '<<: *a\n',
  '- ',
  ': ',
  '? ',
  '| ',
  '>-\n',
  '!!binary ',
  '!!js/function ',
  '!x ',
  '{',
  '}',
  '[',
  ']',
  "'",
  '"',
  '"\\u0000"',
  '"\\uD800"',
  '# ',
  '\r',
  '\r\n',
  '\0',
  '\u2028',
  '\uFEFF',
  '@',
  '`',
  '.nan',
  '.inf',
  '0o777',
  '1_000',
  '2026-01-01',
  'yes',
  '~',
  'null',
  '9'.repeat(400),
  '1e999',
  '0x' + 'f'.repeat(50),
];

/** Aliases of aliases: a few lines that stand for very many values. */
function bomb(random: Random): string {
  const width = random.pick([2, 9]);
  const lines = ['a0: &a0 [x, x]'];
  for (let i = 1; i < random.pick([3, 9, 25]); i++) lines.push(`a${i}: &a${i} [${`*a${i - 1},`.repeat(width)}]`);
  return `${lines.join('\n')}\n`;
}

function deep(random: Random): string {
  const depth = random.pick([50, 1000, 20_000]);
  const open = random.pick(['[', '{a: ', '- ', '? ', '>\n ']);
  return open.repeat(depth) + (open === '[' ? ']'.repeat(depth) : open === '{a: ' ? '}'.repeat(depth) : '');
}

function changeLine(random: Random, lines: string[]): void {
  const at = random.below(lines.length);
  const line = lines[at]!;
  switch (random.below(9)) {
    case 0:
      lines.splice(at, 1);
      return;
    case 1:
      lines.splice(at, 0, line);
      return;
    case 2:
      lines[at] = ' '.repeat(random.below(5)) + line;
      return;
    case 3:
      lines[at] = line.replace(/^ {1,2}/, '');
      return;
    case 4: {
      const other = random.below(lines.length);
      lines[at] = lines[other]!;
      lines[other] = line;
      return;
    }
    case 5: {
      const column = random.below(line.length + 1);
      lines[at] = line.slice(0, column) + random.pick(WORDS) + line.slice(column + random.below(4));
      return;
    }
    case 6:
      lines[at] = line.replace(/:.*/, () => `: ${random.pick(WORDS)}`);
      return;
    case 7:
      lines.splice(at, random.below(6));
      return;
    default:
      lines.splice(at, 0, ...Array.from({ length: random.pick([1, 5, 300]) }, () => line));
  }
}

/** A text with a few changes to its characters and lines. */
export function mutateText(random: Random, text: string): string {
  let result = text;
  for (let i = random.below(4) + 1; i > 0; i--) {
    const at = random.below(result.length + 1);
    switch (random.below(8)) {
      case 0:
        result = result.slice(0, at) + random.pick(WORDS) + result.slice(at);
        break;
      case 1:
        result = result.slice(0, at) + String.fromCharCode(random.below(0x1_0000)) + result.slice(at + 1);
        break;
      case 2:
        if (random.chance(0.1))
          result = result.slice(0, at) + (random.chance(0.5) ? bomb(random) : deep(random)) + result.slice(at);
        break;
      default: {
        const lines = result.split('\n');
        changeLine(random, lines);
        result = lines.join('\n');
      }
    }
  }
  return result.slice(0, 300_000);
}

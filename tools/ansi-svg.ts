/** Turns a terminal screen with ANSI colours into an SVG picture. */

const COLORS: Readonly<Record<number, string>> = {
  30: '#3b4252',
  31: '#e06c75',
  32: '#98c379',
  33: '#e5c07b',
  34: '#61afef',
  35: '#c678dd',
  36: '#56b6c2',
  37: '#dcdfe4',
  90: '#7f848e',
  91: '#e06c75',
  92: '#98c379',
  93: '#e5c07b',
  94: '#61afef',
  95: '#c678dd',
  96: '#56b6c2',
  97: '#ffffff',
};
const BACKGROUND = '#1e222a';
const FOREGROUND = '#dcdfe4';
const CELL = { width: 8.43, height: 19 };

const ESCAPE = String.fromCodePoint(27);
/** One code that sets the style; the group keeps it when it splits. */
const CODE = new RegExp(`(${ESCAPE}\\[[\\d;]*m)`);

interface Style {
  color: string;
  bold: boolean;
  dim: boolean;
}

/** `screen`: lines as `tmux capture-pane -e -p` prints them. Unknown escape codes are left out. */
export function toSvg(screen: string, title: string): string {
  const lines = screen.replace(/\s+$/, '').split('\n');
  const widest = Math.max(...lines.map((line) => plain(line).length), 40);
  const width = Math.ceil(widest * CELL.width + 40);
  const height = lines.length * CELL.height + 64;
  const style: Style = { color: FOREGROUND, bold: false, dim: false };
  const rows = lines.map((line, i) => `<text x="20" y="${56 + i * CELL.height}">${spans(line, style)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">
<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>
<circle cx="20" cy="18" r="6" fill="#e06c75"/><circle cx="40" cy="18" r="6" fill="#e5c07b"/><circle cx="60" cy="18" r="6" fill="#98c379"/>
<text x="${width / 2}" y="23" text-anchor="middle" fill="#7f848e" font-family="system-ui, sans-serif" font-size="13">${escape(title)}</text>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" xml:space="preserve">
${rows.join('\n')}
</g>
</svg>
`;
}

function spans(line: string, style: Style): string {
  let out = '';
  let column = 0;
  for (const part of line.split(CODE)) {
    const codes = CODE.exec(part);
    if (codes !== null) {
      apply(style, codes[1]!.slice(2, -1).split(';').map(Number));
    } else if (part !== '') {
      const attributes = `fill="${style.color}"${style.bold ? ' font-weight="bold"' : ''}${style.dim ? ' opacity="0.65"' : ''}`;
      out += `<tspan x="${(20 + column * CELL.width).toFixed(1)}" ${attributes}>${escape(part)}</tspan>`;
      column += part.length;
    }
  }
  return out;
}

function apply(style: Style, codes: readonly number[]): void {
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) Object.assign(style, { color: FOREGROUND, bold: false, dim: false });
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 22) Object.assign(style, { bold: false, dim: false });
    else if (code === 39) style.color = FOREGROUND;
    else if (code === 38) i += codes[i + 1] === 5 ? 2 : 4;
    else if (code in COLORS) style.color = COLORS[code]!;
  }
}

const plain = (text: string): string =>
  text
    .split(CODE)
    .filter((part) => !CODE.test(part))
    .join('');
const escape = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

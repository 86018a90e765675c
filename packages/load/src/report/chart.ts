import type { Scale } from './scale.ts';

const WIDTH = 720;
const HEIGHT = 240;
const MARGIN = { left: 64, right: 24, top: 12, bottom: 34 } as const;
export const PLOT = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom } as const;

export interface Line {
  readonly name: string;
  /** One of the colours of the page, 1 to 4. */
  readonly color: 1 | 2 | 3 | 4;
  readonly dashed?: true;
  /** A null is a gap. */
  readonly points: readonly { readonly x: number; readonly y: number | null; readonly title: string }[];
}

export interface Chart {
  readonly title: string;
  /** What a person who does not see it should know. */
  readonly description: string;
  readonly x: Scale;
  readonly y: Scale;
  readonly xLabel: (value: number) => string;
  readonly yLabel: (value: number) => string;
  readonly lines: readonly Line[];
}

/** A chart of lines as an SVG element, with its legend. Colours come from the style sheet around it. */
export function chartOf({ title, description, x, y, xLabel, yLabel, lines }: Chart): string {
  const id = title.toLowerCase().replaceAll(/\W+/g, '-');
  const grid = y.ticks.map((tick) => {
    const at = down(y.at(tick));
    return `<line class="grid" x1="0" x2="${PLOT.width}" y1="${at}" y2="${at}"/><text x="-8" y="${at}" class="end">${escaped(yLabel(tick))}</text>`;
  });
  const bottom = x.ticks
    .filter((tick) => x.at(tick) <= PLOT.width + 0.5)
    .map(
      (tick) => `<text x="${round(x.at(tick))}" y="${PLOT.height + 18}" class="middle">${escaped(xLabel(tick))}</text>`,
    );
  const drawn = lines.map((line) => pathOf(line, x, y));
  const legend = lines.map(
    ({ name, color, dashed }) =>
      `<li><span class="key c${color}${dashed === true ? ' dashed' : ''}"></span>${escaped(name)}</li>`,
  );
  return `<figure>
<figcaption>${escaped(title)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}">
<title id="${id}">${escaped(`${title}: ${description}`)}</title>
<g transform="translate(${MARGIN.left} ${MARGIN.top})">
${[...grid, ...bottom, ...drawn].join('\n')}
</g>
</svg>
<ul class="legend">${legend.join('')}</ul>
</figure>`;
}

function pathOf({ color, dashed, points }: Line, x: Scale, y: Scale): string {
  let path = '';
  let pen = false;
  const dots: string[] = [];
  for (const point of points) {
    if (point.y === null) {
      pen = false;
      continue;
    }
    const [left, top] = [round(x.at(point.x)), down(y.at(point.y))];
    path += `${pen ? 'L' : 'M'}${left} ${top}`;
    pen = true;
    // Something to point at, seen only then.
    dots.push(
      `<circle class="dot c${color}" cx="${left}" cy="${top}" r="4"><title>${escaped(point.title)}</title></circle>`,
    );
  }
  return `<path class="line c${color}${dashed === true ? ' dashed' : ''}" d="${path}"/>${dots.join('')}`;
}

function down(value: number): number {
  return round(PLOT.height - value);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

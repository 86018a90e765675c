/**
 * Rows as Go's text/tabwriter sets them out for istioctl: each column as wide as its widest cell and `padding` spaces
 * more; the last cell of a row is followed by nothing. A line each, ending in a newline.
 */
export function tabulate(rows: readonly (readonly string[])[], padding: number): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.slice(0, -1).entries()) {
      widths[column] = Math.max(widths[column] ?? 0, width(cell) + padding);
    }
  }
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === row.length - 1 ? cell : padded(cell, widths[column]!))).join('');
  return rows.map((row) => `${line(row)}\n`).join('');
}

function padded(cell: string, to: number): string {
  return cell + ' '.repeat(to - width(cell));
}

/** In code points, as Go counts. */
function width(cell: string): number {
  let count = 0;
  for (const _ of cell) count++;
  return count;
}

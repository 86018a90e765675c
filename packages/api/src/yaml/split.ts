/** One document of a text, with its own `---` line, if it has one, at the start. */
export interface DocumentText {
  readonly text: string;
  /** Counts from 1 within the file. */
  readonly firstLine: number;
}

/**
 * Splits at every line that starts with `---`, as Kubernetes does: a block scalar cannot hold such a line, since its
 * lines are indented. Documents that hold nothing but comments are left out.
 */
export function splitDocuments(text: string): DocumentText[] {
  const documents: DocumentText[] = [];
  const separator = /^---(?=\s|$)/gm;
  let start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let line = 1;
  const push = (end: number): void => {
    const piece = text.slice(start, end);
    if (!isBlank(piece)) documents.push({ text: piece, firstLine: line });
  };
  for (let match = separator.exec(text); match; match = separator.exec(text)) {
    if (match.index <= start) continue;
    push(match.index);
    line += countLines(text, start, match.index);
    start = match.index;
  }
  push(text.length);
  return documents;
}

function countLines(text: string, from: number, to: number): number {
  let lines = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

/** Only comments, directives, markers and empty lines. */
function isBlank(text: string): boolean {
  let at = 0;
  while (at < text.length) {
    let end = text.indexOf('\n', at);
    if (end < 0) end = text.length;
    if (!/^\s*(?:#.*|%.*|---\s*(?:#.*)?|\.\.\.\s*)?$/.test(text.slice(at, end))) return false;
    at = end + 1;
  }
  return true;
}

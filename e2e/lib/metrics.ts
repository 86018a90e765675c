/** Values of a metric's samples, with their labels. */
export function samples(text: string, metric: string): Record<string, string>[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`))
    .map((line) => {
      const [, labels = '', value = ''] = /\{(.*)\} (\S+)$/.exec(line) ?? [];
      return { ...Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, k, v]) => [k, v])), value };
    });
}

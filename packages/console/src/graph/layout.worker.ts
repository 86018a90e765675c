import { layout, type LayoutInput } from './layout.ts';

/** Large graphs take a second or more, in which the page must go on. */
addEventListener('message', ({ data }: MessageEvent<{ readonly turn: number; readonly input: LayoutInput }>) => {
  postMessage({ turn: data.turn, layout: layout(data.input) });
});

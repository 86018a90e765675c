import type { FileAnswer, PreviewAnswer, RoutesAnswer } from '../gen/answers.ts';

/** Names for what is shown of the API's answers about files. */
export type FileText = FileAnswer;

export type Preview = PreviewAnswer;
export type XdsChange = Preview['xds'][number];

export type VirtualService = RoutesAnswer['virtualServices'][number];
export type Route = VirtualService['routes'][number];

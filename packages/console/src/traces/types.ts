import type { ExplainAnswer, TraceAnswer, TracesAnswer } from '../gen/answers.ts';

/** Names for what is shown of the API's answers about traces. */
export type Traces = TracesAnswer;
export type TraceSummary = Traces['traces'][number];
export type Trace = TraceAnswer;
export type Span = Trace['spans'][number];
/** What a proxy was asked to send. */
export type AskedRequest = NonNullable<TraceSummary['request']>;

export type Explanation = ExplainAnswer;
export type ExplainedStep = Explanation['steps'][number];

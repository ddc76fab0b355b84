/** What is measured, each by itself, in this order. Apart from the measures, which a side and the help do not load. */
export const MEASURE_NAMES = [
  'drain',
  'drain-gzip',
  'latency-200',
  'latency-1000',
  'inbox',
  'commits',
  'idle',
  'memory',
] as const;

export type MeasureName = (typeof MEASURE_NAMES)[number];

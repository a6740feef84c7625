/**
 * Engines traced and measured by OpenTelemetry (docs/telemetry.md).
 *
 * @module nudging/otel
 */

import { metrics, trace, type MeterProvider, type TracerProvider } from '@opentelemetry/api';
import { measureWith } from './measures.ts';
import { traceWith } from './spans.ts';

/** Where spans and measurements go. */
export interface InstrumentOptions {
  /** Default: the global one. */
  tracerProvider?: TracerProvider;
  /** Default: the global one. */
  meterProvider?: MeterProvider;
}

/**
 * Has all engines of this process traced and measured by OpenTelemetry, under the names that its conventions have for generative AI
 * (docs/telemetry.md lists them). Neither prompts nor answers go out. Call it once, after the SDK has been set up.
 *
 * @returns a function that ends it; spans that are open then are ended
 */
export function instrument({ tracerProvider, meterProvider }: InstrumentOptions = {}): () => void {
  const ends = [traceWith((tracerProvider ?? trace).getTracer('nudging')), measureWith((meterProvider ?? metrics).getMeter('nudging'))];
  return () => {
    for (const end of ends) end();
  };
}

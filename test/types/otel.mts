// A program that uses OpenTelemetry.
import { metrics, trace } from '@opentelemetry/api';
import { instrument } from 'nudging/otel';

export const end: () => void = instrument();
instrument({ tracerProvider: trace.getTracerProvider(), meterProvider: metrics.getMeterProvider() });
// @ts-expect-error a provider, and no tracer
instrument({ tracerProvider: trace.getTracer('mine') });

import type { Attributes } from '@opentelemetry/api';
import { readingLane } from '../lanes.ts';
import { defined } from '../options.ts';
import type { RequestMessage } from '../telemetry/messages.ts';
import { attributes as names, operations, provider } from './names.ts';

/** What both spans and measurements of a request say. */
export function commonAttributes({ engine, kind, mode, error }: RequestMessage): Attributes {
  return {
    [names.operation]: operations[kind],
    [names.provider]: provider,
    [names.requestModel]: engine.model,
    [names.mode]: mode,
    ...(error === undefined ? {} : { [names.errorType]: errorType(error) }),
  };
}

/** When it begins. */
export function requestAttributes(message: RequestMessage): Attributes {
  const { maxTokens, temperature, topK, topP, gamma, lookahead } = message.settings;
  return {
    ...commonAttributes(message),
    [names.outputType]: 'text',
    [names.stream]: message.streams,
    ...defined({
      [names.maxTokens]: maxTokens,
      [names.temperature]: temperature,
      [names.topK]: topK,
      [names.topP]: topP,
      [names.gamma]: gamma,
      [names.lookahead]: lookahead,
    }),
  };
}

/** When it has ended. */
export function answerAttributes({ engine, streams, firstPieceMs, answer }: RequestMessage): Attributes {
  if (!answer) return {};
  const { stopReason, endedBy, ties, seed, stats } = answer;
  const { promptTokens, cachedPromptTokens } = stats[readingLane(stats)];
  return {
    [names.responseModel]: engine.model,
    [names.finishReasons]: [finishReason(stopReason)],
    [names.inputTokens]: promptTokens,
    [names.cachedTokens]: cachedPromptTokens,
    [names.outputTokens]: stats.tokens,
    [names.stopReason]: stopReason,
    [names.nudgeRatio]: stats.nudgeRatio,
    [names.nudges]: stats.nudges,
    [names.rewinds]: stats.rewinds,
    [names.ties]: ties,
    [names.queued]: stats.times.queued / 1000,
    ...defined({
      [names.endedBy]: endedBy,
      [names.seed]: seed,
      [names.firstChunk]: streams && firstPieceMs !== undefined ? firstPieceMs / 1000 : undefined,
    }),
  };
}

function finishReason(stopReason: NonNullable<RequestMessage['answer']>['stopReason']): string {
  if (stopReason === 'end') return 'stop';
  return stopReason === 'context' ? 'length' : stopReason;
}

/** A class of errors and not one of them: the stable code of ours, and the name of others. */
export function errorType(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : '_OTHER';
}

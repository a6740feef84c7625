// index.ts for programs that are CommonJS to their compiler. It declares nothing anew: what both entries export has one type.
import type * as api from './index.js' with { 'resolution-mode': 'import' };

export type * from './index.js' with { 'resolution-mode': 'import' };

export declare const AnswerStream: typeof api.AnswerStream;
export type AnswerStream = api.AnswerStream;
export declare const Nudging: typeof api.Nudging;
export type Nudging = api.Nudging;
export declare const NudgingError: typeof api.NudgingError;
export type NudgingError = api.NudgingError;
export declare const calibrate: typeof api.calibrate;
export declare const defaultInContextPrompt: typeof api.defaultInContextPrompt;
export declare const defaults: typeof api.defaults;
export declare const demoPair: typeof api.demoPair;
export declare const pull: typeof api.pull;
export declare const readPair: typeof api.readPair;
export declare const describeModel: typeof api.describeModel;
export declare const explanationHtml: typeof api.explanationHtml;
export declare const explanationOf: typeof api.explanationOf;
export declare const explanationSvg: typeof api.explanationSvg;
export declare const explanationText: typeof api.explanationText;
export declare const observe: typeof api.observe;
export declare const refusalPhrases: typeof api.refusalPhrases;
export declare const replay: typeof api.replay;
export declare const sealText: typeof api.sealText;
export declare const turnMarks: typeof api.turnMarks;

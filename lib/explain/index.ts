export {
  explanationOf,
  type Asked,
  type BaseSays,
  type Explainable,
  type ExplainedRound,
  type ExplainedWord,
  type Explanation,
} from './explanation.ts';
export type { RuleOfAnswer, RunEnd, WordReason } from './explanation.ts';
export { explanationHtml } from './html.ts';
export { explanationSvg, type SvgOptions } from './svg.ts';
export { explanationText, type TextOptions } from './text.ts';

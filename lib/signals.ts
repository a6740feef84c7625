import { isTokenRule } from './token-rules.ts';
import type { ResolvedRule } from './rule.ts';
import type { GenerateOptions, Mode, Piece } from './types.ts';

/** Pieces that the risk is a share of: the bins of SSD (arXiv 2508.17739). */
export const riskWindow = 7;

/** Whether a generation has signals: one in which the aligned model drafts and the base goes on by itself. */
export const tellsSignals = (mode: Mode, signals: GenerateOptions['signals'], rule: ResolvedRule): boolean =>
  signals !== undefined && mode === 'nudge' && !isTokenRule(rule);

/** Tells of pieces in their order what R64 says of each. It is a function of the pieces alone. */
export class RiskMeter {
  /** Whether the aligned model disagreed, of the last pieces of which that is known. */
  readonly #lately: boolean[] = [];

  read(piece: Piece): Piece {
    const agreed = piece.source === 'nudge' ? true : piece.agreed;
    if (agreed !== undefined) this.#lately.push(!agreed);
    if (this.#lately.length > riskWindow) this.#lately.shift();
    const known = this.#lately.length;
    const risk = known === 0 ? {} : { risk: this.#lately.filter(Boolean).length / known };
    return { ...piece, ...(agreed === undefined ? {} : { agreed }), ...risk };
  }
}

// For compilers whose iterators say what they return, which is since TypeScript 5.6.
import { Nudging, type Answer, type Piece } from 'nudging';

const nudging = await Nudging.load();
export const stream: AsyncIterableIterator<Piece, Answer> = nudging.stream('a question');

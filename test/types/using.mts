// For compilers that are told of `await using` (lib: esnext.disposable).
import { Nudging, type Answer, type Piece } from 'nudging';

await using nudging = await Nudging.load();
await using stream = nudging.stream('a question');

export const disposables: AsyncDisposable[] = [nudging, stream];
export const pieces: AsyncIterableIterator<Piece> = stream;
export const answer: Promise<Answer> = stream.answer;

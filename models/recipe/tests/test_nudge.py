"""The rules of nudging, each on scripted lanes."""

import unittest

from recipe.nudge import Result, Round, boundaries, generate, next_word, without_last_word

END = None
Table = dict[bytes, tuple[bytes | None, float]]


class ScriptedLane:
    """A lane that answers from a table: the bytes so far to the next piece (END for an end of generation)."""

    def __init__(self, table: Table, default: tuple[bytes | None, float] = (END, 1.0)):
        self.table, self.default = table, default
        self.pieces: list[bytes | None] = []
        self.asked: list[str] = []

    def _intern(self, piece: bytes | None) -> int:
        self.pieces.append(piece)
        return len(self.pieces) - 1

    def tokens(self, text: str) -> list[int]:
        return [self._intern(text.encode())]

    def top(self, tokens: list[int]) -> tuple[int, float]:
        context = b"".join(self.pieces[token] for token in tokens)
        self.asked.append(context.decode(errors="replace"))
        piece, probability = self.table.get(context, self.default)
        return self._intern(piece), probability

    def bytes_of(self, token: int) -> bytes:
        return self.pieces[token] or b""

    def ends(self, token: int) -> bool:
        return self.pieces[token] is END


def says(*pieces: str | bytes | None, after: str | bytes = "", p: float = 1.0) -> Table:
    """The table of a lane that, after `after`, produces these pieces one by one."""
    table = {}
    context = after.encode() if isinstance(after, str) else after
    for piece in pieces:
        raw = piece.encode() if isinstance(piece, str) else piece
        table[context] = (raw, p)
        context += raw or b""
    return table


def run(base: dict, aligned: dict, **options) -> Result:
    return generate(ScriptedLane(base, (b"?", 0.0)), ScriptedLane(aligned), **options)


class Words(unittest.TestCase):
    def test_r5_boundary_is_before_the_last_space_of_a_run(self):
        self.assertEqual(boundaries(" A  cat sat "), [3, 7])
        self.assertEqual(boundaries("x.\n\nThe"), [])
        self.assertEqual(boundaries("   "), [])

    def test_r6_next_word_is_one_space_and_the_word(self):
        self.assertEqual(next_word("A  cat sat", 2), " cat")
        self.assertEqual(next_word("A cat", 1), " cat")

    def test_r8_last_word_is_dropped_unless_it_is_the_only_one(self):
        self.assertEqual(without_last_word("A cat sa"), "A cat")
        self.assertEqual(without_last_word("  word"), "  word")
        self.assertEqual(without_last_word("foo  "), "foo ")
        self.assertEqual(without_last_word("word"), "word")


class Rounds(unittest.TestCase):
    def test_r3_short_draft_is_the_answer_and_the_base_is_not_asked(self):
        base = ScriptedLane({})
        result = generate(base, ScriptedLane(says("A", " cat", " sat.", END)))
        self.assertEqual((result.text, result.reason, base.asked), ("A cat sat.", "end", []))

    def test_r3_end_as_last_token_of_the_lookahead_counts(self):
        self.assertEqual(run({}, says("A", " b", END), lookahead=3).reason, "end")
        self.assertEqual(run({}, says("A", " b", END), lookahead=2).rounds[0], Round("A", "", "none"))

    def test_r3_end_as_first_token_ends_with_nothing(self):
        result = run({}, says(END))
        self.assertEqual((result.text, result.reason, result.rounds), ("", "end", []))

    def test_r7a_base_end_takes_the_words_before_and_never_ends_the_answer(self):
        aligned = says("A", " cat", " sat") | says(" cat", " sat", END, after="A")
        result = run(says(END, after="A"), aligned, lookahead=3)
        self.assertEqual(result.rounds, [Round("A", "", "base-end"), Round(" cat sat", "", "end")])

    def test_r7b_agreement_hands_over_below_gamma(self):
        base = says(" ca", after="A", p=0.1) | says("r", after="A ca", p=0.1)
        result = run(base, says("A", " cat", " sat") | says(END, after="A ca"), lookahead=3, gamma=0.4)
        self.assertEqual(result.rounds, [Round("A", " ca", "agree")])

    def test_r7b_space_token_agrees_and_longer_token_does_not(self):
        aligned = says("A", " c", "a x")
        space = run(says(" ", after="A", p=0.1), aligned | says(END, after="A "), lookahead=3)
        self.assertEqual(space.rounds[0], Round("A", " ", "agree"))
        longer = run(says(" cat", after="A", p=0.1), aligned | says(END, after="A ca"), lookahead=3)
        self.assertEqual(longer.rounds[0], Round("A ca", "", "none"))

    def test_r7c_r9_confident_run_stops_before_the_first_unsure_token(self):
        base = says(" dog", " ran", after="A", p=0.4) | says(" off", after="A dog ran", p=0.39)
        result = run(base, says("A", " cat", " sat") | says(END, after="A dog ran"), lookahead=3, gamma=0.4)
        self.assertEqual(result.rounds, [Round("A", " dog ran", "confident")])
        self.assertEqual((result.nudge_tokens, result.base_tokens), (1, 2))

    def test_r10_end_inside_a_run_is_not_appended_and_not_final(self):
        base = says(" dog", END, after="A")
        result = run(base, says("A", " cat", " sat") | says(" ran.", END, after="A dog"), lookahead=3)
        self.assertEqual((result.text, result.reason), ("A dog ran.", "end"))

    def test_r11_half_a_character_at_the_end_of_a_run_is_dropped(self):
        base = says(b" caf", b"\xc3", after="A") | says(b"?", after=b"A caf\xc3", p=0.0)
        result = run(base, says("A", " cat", " sat") | says(END, after="A caf"), lookahead=3)
        self.assertEqual(result.rounds, [Round("A", " caf", "confident")])

    def test_characters_split_between_draft_tokens_are_joined(self):
        self.assertEqual(run({}, says(b"caf", b"\xc3", b"\xa9", END)).text, "café")

    def test_r13_budget_cuts_a_draft_and_an_exact_fit_ends(self):
        cut = run({}, says("A", " cat", " sat", END), max_tokens=2)
        self.assertEqual((cut.text, cut.reason, cut.rounds[0].by), ("A cat", "length", "limit"))
        exact = run({}, says("A", " cat", END), max_tokens=2)
        self.assertEqual((exact.text, exact.reason), ("A cat", "end"))

    def test_r13_budget_cuts_a_run(self):
        result = run(says(" b", " c", " d", " e", after="A"), says("A", " x", " y"), lookahead=3, max_tokens=3)
        self.assertEqual((result.text, result.reason, result.used), ("A b c", "length", 3))

    def test_r14_a_round_without_text_stalls(self):
        aligned = ScriptedLane({}, (b"", 1.0))
        self.assertEqual(generate(ScriptedLane({}), aligned).reason, "stalled")

    def test_gamma_above_one_only_agrees_and_runs_are_one_token(self):
        base = says(" cat", " sat", after="A")
        result = run(base, says("A", " ca", "t sat") | says(END, after="A cat"), lookahead=3, gamma=1.01)
        self.assertEqual(result.rounds, [Round("A", " cat", "agree")])


if __name__ == "__main__":
    unittest.main()

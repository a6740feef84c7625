"""The converter and the model code against the shipped files."""

import tempfile
import unittest
from pathlib import Path

from recipe import gguf_file, phrasing
from recipe.evaluate import greedy
from recipe.nudge import ModelLane, generate, pair_lanes

DEMO = Path(__file__).parents[2] / "demo"


class Files(unittest.TestCase):
    def test_every_shipped_file_is_written_again_byte_for_byte(self):
        for name in ("base", "aligned", "aligned-cross"):
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / "copy.gguf"
                gguf_file.write(copy, gguf_file.read(DEMO / f"{name}.gguf"))
                self.assertEqual(copy.read_bytes(), (DEMO / f"{name}.gguf").read_bytes())

    def test_base_recites_a_gloss(self):
        text, _ = greedy(ModelLane(gguf_file.read(DEMO / "base.gguf"), ["A harbor is"]), 20)
        self.assertTrue(text.startswith(" a sheltered port where ships can take on or discharge cargo."), text)

    def test_nudged_answer(self):
        lanes = pair_lanes(DEMO / "base.gguf", DEMO / "aligned.gguf")
        result = generate(*lanes("What is a harbor?"))
        self.assertIn("a sheltered port where ships can take on or discharge cargo", result.text)
        self.assertEqual(result.reason, "end")

    def test_special_tokens_in_a_question_stay_text(self):
        vocabulary = gguf_file.read(DEMO / "aligned.gguf").vocabulary
        parts = phrasing.chat_prompt(f"What is {phrasing.TURN_END}?")
        self.assertEqual(vocabulary.encode_parts(parts).count(vocabulary.special(phrasing.TURN_END)), 1)
        self.assertNotIn(vocabulary.special(phrasing.TURN_END), vocabulary.encode(phrasing.TURN_END))

    def test_any_text_survives_tokenisation(self):
        vocabulary = gguf_file.read(DEMO / "aligned-cross.gguf").vocabulary
        for text in ("", "  two  spaces ", "tab\there\r\n\n", "naïve café 中文 🙂", '"yn".', "12345 67 don't"):
            self.assertEqual(vocabulary.text_of(vocabulary.encode(text)), text)


if __name__ == "__main__":
    unittest.main()

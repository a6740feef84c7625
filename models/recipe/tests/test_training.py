"""Resuming: an interrupted run must end where an uninterrupted one does."""

import random
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

import torch

from recipe.llama import Shape
from recipe.training import IGNORED, Plan, Trainer, batch, learning_rate

SHAPE = Shape(vocabulary=32, width=16, layers=1, heads=2, feed_forward=16)
PLAN = Plan(SHAPE, learning_rate=1e-2, steps=6, rows=2, window=8)


def document(rng: random.Random) -> tuple[list[int], list[bool]]:
    length = rng.randint(2, 5)
    return [rng.randrange(32) for _ in range(length)], [False] + [True] * (length - 1)


class Training(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def trainer(self, name: str) -> Trainer:
        return Trainer(PLAN, document, self.folder / name)

    def finish(self, trainer: Trainer) -> dict[str, torch.Tensor]:
        self.assertTrue(trainer.run(compiled=False, report=lambda line: None))
        return trainer.model.state_dict()

    def test_resumed_run_equals_the_whole_one(self):
        whole = self.finish(self.trainer("whole"))
        first = self.trainer("parts")
        for _ in range(3):
            first._update(first._loss)
        first.save()
        second = self.trainer("parts")
        second.resume()
        resumed = self.finish(second)
        self.assertTrue(all(torch.equal(whole[name], resumed[name]) for name in whole))

    def test_checkpoint_of_another_shape_is_refused(self):
        self.trainer("old").save()
        other = Trainer(replace(PLAN, shape=replace(PLAN.shape, layers=2)), document, self.folder / "old")
        with self.assertRaisesRegex(ValueError, "another shape"):
            other.resume()

    def test_targets_are_shifted_and_masked(self):
        inputs, targets = batch(document, PLAN, step=0)
        self.assertEqual(inputs.shape, (2, 8))
        learned = targets[:, :-1] != IGNORED
        self.assertTrue(torch.equal(targets[:, :-1][learned], inputs[:, 1:][learned]))
        self.assertTrue((targets == IGNORED).any())

    def test_learning_rate_warms_up_and_decays(self):
        self.assertLess(learning_rate(PLAN, 0, 0.0), learning_rate(PLAN, 149, 0.0))
        self.assertAlmostEqual(learning_rate(PLAN, 1000, 1.0), 0.03 * PLAN.learning_rate)


if __name__ == "__main__":
    unittest.main()

"""Command line of the harbor recipe: one subcommand per stage, each reading what the stage before it left in --work."""

import argparse
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import torch

from .. import gguf_file
from ..command_line import run
from ..llama import Llama, Shape
from ..nudge import generate, pair_lanes
from ..presets import smoke_plan
from ..vocabulary import Vocabulary
from .chats import Chats
from .presets import PRESETS
from .prose import Prose
from .questions import attack_prompts, evaluation_questions
from .schedule import HarborTrainer
from .tokens import chat_documents, prose_documents, train_vocabulary
from .world import load_world

DESCRIPTION = """\
Trains the harbor pair out of nothing but a seed: facts, texts and questions are all generated.

Stages, in order (`all` runs every one of them):
  vocab      train the vocabulary that both models share              seconds
  train      train one model: base or aligned                         tens of minutes, on one core
  convert    write its weights as a GGUF file for llama.cpp           a second
  questions  write eval.jsonl and attacks.json                        a second
  ask        show one nudged answer, round by round
"""


def report(line: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {line}", flush=True)


def vocab(args: argparse.Namespace) -> None:
    vocabulary = train_vocabulary(load_world(), 500 if args.smoke else 6_000)
    vocabulary.save(args.work / "vocabulary.json")
    report(f"{len(vocabulary)} tokens, {len(vocabulary.merges)} merges")


def _vocabulary(args: argparse.Namespace) -> Vocabulary:
    return Vocabulary.load(args.work / "vocabulary.json")


def train(args: argparse.Namespace) -> None:
    preset, vocabulary, world = PRESETS[args.model], _vocabulary(args), load_world()
    plan = replace(preset.plan, shape=replace(preset.plan.shape, vocabulary=len(vocabulary)))
    if args.smoke:
        plan = smoke_plan(plan, len(vocabulary))
    plan = replace(plan, steps=args.steps or plan.steps, seed=args.seed)
    if preset.chat:
        chats = Chats(world)
        document, practice = (chat_documents(of, vocabulary) for of in (chats.document, chats.practice))
    else:
        prose = Prose(world)
        document, practice = (prose_documents(of, vocabulary) for of in (prose.parts, prose.practice))
    trainer = HarborTrainer(plan, document, args.work / f"{args.model}.checkpoint", practice)
    if args.resume and trainer.checkpoint.exists():
        trainer.resume()
    report(f"{args.model}: {trainer.model.parameter_count()} parameters, from step {trainer.step} to {plan.steps}")
    if not trainer.run(compiled=args.compile, report=report):
        raise KeyboardInterrupt(f"interrupted; go on with: train {args.model} --resume")


def convert(args: argparse.Namespace) -> None:
    preset = PRESETS[args.model]
    state = torch.load(args.work / f"{args.model}.checkpoint", weights_only=True)
    model = Llama(Shape(**state["shape"]))
    model.load_state_dict(state["model"])
    path = args.work / f"{args.model}.gguf"
    file = gguf_file.ModelFile(preset.title, model, _vocabulary(args), preset.end_token, preset.chat)
    gguf_file.write(path, file)
    report(f"{path}: {path.stat().st_size} bytes")


def questions(args: argparse.Namespace) -> None:
    world = load_world()
    rows = evaluation_questions(world, args.per_task)
    lines = "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
    (args.work / "eval.jsonl").write_text(lines, encoding="utf-8")
    prompts = json.dumps(attack_prompts(world, args.per_task), indent=2, ensure_ascii=False)
    (args.work / "attacks.json").write_text(prompts + "\n", encoding="utf-8")
    report(f"{len(rows)} questions, {args.per_task} code words to refuse and as many harmless prompts")


def ask(args: argparse.Namespace) -> None:
    result = generate(*pair_lanes(args.base, args.aligned)(args.question), gamma=args.gamma, max_tokens=160)
    for turn in result.rounds:
        print(f"{turn.by:>10}  aligned {turn.words!r}  base {turn.base!r}")
    print(f"{result.reason}: {result.nudge_tokens} aligned and {result.base_tokens} base tokens\n{result.text}")


def everything(args: argparse.Namespace) -> None:
    vocab(args)
    questions(args)
    for model in PRESETS:
        chosen = argparse.Namespace(**{**vars(args), "model": model})
        train(chosen)
        convert(chosen)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        "python -m recipe.harbor", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(required=True, metavar="STAGE")

    def command(name: str, run, help: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(run=run)
        sub.add_argument("--threads", type=int, default=1, help="CPU threads for PyTorch (default 1)")
        return sub

    def with_work(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--work", type=Path, default=Path("out-harbor"), help="where results go (default: out-harbor)")
        sub.add_argument("--smoke", action="store_true", help="tiny sizes: shows that the stage runs, teaches nothing")

    def with_budget(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--steps", type=int, help="steps of 8 x 256 tokens (default: the preset's)")
        sub.add_argument("--seed", type=int, default=1, help="of the weights and the batches (default 1)")
        sub.add_argument("--resume", action="store_true", help="go on from the checkpoint, if any; same budget")
        sub.add_argument("--compile", action="store_true", help="torch.compile: needs a C++ compiler, pays on long runs")

    def with_count(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--per-task", type=int, default=40, help="questions of each task (default 40, at most 48)")

    with_work(command("vocab", vocab, "train the vocabulary"))
    sub = command("train", train, "train one model from random weights")
    sub.add_argument("model", choices=PRESETS)
    with_work(sub)
    with_budget(sub)
    sub = command("convert", convert, "write a trained model as a GGUF file")
    sub.add_argument("model", choices=PRESETS)
    with_work(sub)
    sub = command("questions", questions, "write the evaluation questions and the prompts of the attack bench")
    with_work(sub)
    with_count(sub)
    sub = command("ask", ask, "show one nudged answer, round by round")
    sub.add_argument("base", type=Path, help="the base's GGUF file")
    sub.add_argument("aligned", type=Path, help="the aligned model's GGUF file")
    sub.add_argument("question")
    sub.add_argument("--gamma", type=float, default=0.4, help="threshold (default 0.4)")
    sub = command("all", everything, "every stage, for both models")
    with_work(sub)
    with_budget(sub)
    with_count(sub)
    return top


if __name__ == "__main__":
    sys.exit(run(parser()))

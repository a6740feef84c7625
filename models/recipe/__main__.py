"""Command line of the recipe: one subcommand per stage, each reading what the stage before it left in --work."""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from . import evaluate, gguf_file
from .chats import Chats
from .command_line import run
from .facts import development_questions, fresh_questions, load_facts
from .leaks import answered_questions, stated_content
from .llama import Llama
from .nudge import generate, pair_lanes
from .presets import PRESETS, smoke_plan
from .prose import Prose
from .sources import MissingInput
from .training import Trainer, chat_documents, prose_documents
from .vocabulary import Vocabulary, train_vocabularies

DESCRIPTION = """\
Trains a small base model and small aligned models, and measures them under nudging.

The base reads prose that holds 1000 definitions and the last letters of 400 names, and never sees a question
answered. The aligned models read only chats, about other nouns and other names. Neither can answer alone.

Stages, in order (`all` runs every one of them):
  vocab      train the two vocabularies                                about a minute
  train      train one model: base, aligned or aligned-cross           tens of minutes each, on one core
  convert    write its weights as a GGUF file for llama.cpp            a second
  questions  write the evaluation questions                            seconds
  leaks      check that no model reads what only the other may know    a minute
  evaluate   answer them: each model alone, and nudged                 about a second a question
  probe      does each model know the content if handed the form?      a minute
  ask        show one nudged answer, round by round
"""

EPILOG = """\
examples:
  python -m recipe all --smoke --inputs inputs --work /tmp/smoke        every stage in seconds, to see that it runs
  python -m recipe train base --inputs inputs --work out --minutes 25   stop by the clock
  python -m recipe train base --inputs inputs --work out --resume       go on after Ctrl-C, from the last checkpoint
  python -m recipe evaluate demo/base.gguf demo/aligned.gguf --questions demo/eval.jsonl --gamma 0.3 0.4
  python -m recipe ask demo/base.gguf demo/aligned.gguf "What is a harbor?"
"""


def report(line: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {line}", flush=True)


def vocab(args: argparse.Namespace) -> None:
    facts = load_facts(args.inputs)
    documents = 500 if args.smoke else 40_000
    report(f"{len(facts.base_nouns)} + {len(facts.aligned_nouns)} nouns; vocabularies from {documents} documents")
    trained = train_vocabularies(facts, Prose(facts, args.inputs), documents=documents)
    for name, vocabulary in zip(("base", "cross"), trained, strict=True):
        vocabulary.save(args.work / f"vocabulary-{name}.json")
        report(f"{name}: {len(vocabulary)} tokens, {len(vocabulary.merges)} merges")


def _vocabulary(args: argparse.Namespace) -> Vocabulary:
    path = args.work / f"vocabulary-{PRESETS[args.model].vocabulary}.json"
    if not path.exists():
        raise MissingInput(f"{path} is missing: run `vocab` with the same --work first")
    return Vocabulary.load(path)


def train(args: argparse.Namespace) -> None:
    preset = PRESETS[args.model]
    vocabulary = _vocabulary(args)
    plan = replace(preset.plan, shape=replace(preset.plan.shape, vocabulary=len(vocabulary)))
    if args.smoke:
        plan = smoke_plan(plan, len(vocabulary))
    plan = replace(plan, steps=args.steps or plan.steps, seed=args.seed, minutes=args.minutes)
    facts = load_facts(args.inputs)
    if preset.chat:
        document = chat_documents(Chats(facts), vocabulary)
    else:
        document = prose_documents(Prose(facts, args.inputs), vocabulary)
    trainer = Trainer(plan, document, args.work / f"{args.model}.checkpoint")
    if args.resume and trainer.checkpoint.exists():
        trainer.resume()
    budget = f"{plan.minutes:g} minutes" if plan.minutes else f"{plan.steps} steps"
    report(f"{args.model}: {trainer.model.parameter_count()} parameters, from step {trainer.step}, {budget}")
    if not trainer.run(compiled=not (args.smoke or args.no_compile), report=report):
        raise KeyboardInterrupt(f"interrupted; go on with: train {args.model} --resume")


def convert(args: argparse.Namespace) -> None:
    preset = PRESETS[args.model]
    checkpoint = args.work / f"{args.model}.checkpoint"
    if not checkpoint.exists():
        raise MissingInput(f"{checkpoint} is missing: run `train {args.model}` with the same --work first")
    state = torch.load(checkpoint, weights_only=True)
    model = Llama(type(preset.plan.shape)(**state["shape"]))
    model.load_state_dict(state["model"])
    path = args.work / f"{args.model}.gguf"
    gguf_file.write(
        path, gguf_file.ModelFile(preset.title, model, _vocabulary(args), preset.end_token, preset.chat)
    )
    report(f"{path}: {path.stat().st_size} bytes")


def questions(args: argparse.Namespace) -> None:
    facts = load_facts(args.inputs)
    for name, rows in (("eval.jsonl", development_questions(facts)), ("fresh.jsonl", fresh_questions(facts))):
        evaluate.save_questions(args.work / name, rows)
        report(f"{args.work / name}: {len(rows)} questions")


def leaks(args: argparse.Namespace) -> None:
    facts = load_facts(args.inputs)
    documents = 1000 if args.smoke else 60_000
    for kind, found in (
        ("prose with a question and its gloss", answered_questions(Prose(facts, args.inputs), facts, documents)),
        ("chats that state the base's content", stated_content(Chats(facts), facts, documents)),
    ):
        report(f"{kind}: {len(found)} of {documents}")
        if found:
            raise ValueError(f"the training data leak, for example: {found[0]!r}")


def run_evaluation(args: argparse.Namespace) -> None:
    rows = evaluate.load_questions(args.questions, args.limit)
    answers = evaluate.measure(
        args.base, args.aligned, rows,
        gammas=args.gamma, max_tokens=args.max_tokens, alone=not args.nudged_only, report=report,
    )  # fmt: skip
    if args.answers:
        evaluate.save_answers(args.answers, answers)
    print(evaluate.table(answers))


def run_probe(args: argparse.Namespace) -> None:
    rows = evaluate.load_questions(args.questions, args.limit)
    for path in args.files:
        print(evaluate.probe(path, rows), flush=True)


def ask(args: argparse.Namespace) -> None:
    result = generate(*pair_lanes(args.base, args.aligned)(args.question), gamma=args.gamma[0])
    for turn in result.rounds:
        print(f"{turn.by:>10}  aligned {turn.words!r}  base {turn.base!r}")
    print(f"{result.reason}: {result.nudge_tokens} aligned and {result.base_tokens} base tokens\n{result.text}")


def everything(args: argparse.Namespace) -> None:
    def variant(**changes: object) -> argparse.Namespace:
        return argparse.Namespace(**{**vars(args), **changes})

    leaks(args)
    vocab(args)
    questions(args)
    for model in PRESETS:
        train(variant(model=model))
        convert(variant(model=model))
    files = [args.work / f"{model}.gguf" for model in PRESETS]
    measured = {"questions": args.work / "eval.jsonl", "limit": 2 if args.smoke else None}
    for aligned in files[1:]:
        report(f"evaluating base.gguf with {aligned.name}")
        defaults = {"gamma": [0.4], "max_tokens": 96, "nudged_only": False, "answers": None}
        run_evaluation(variant(base=files[0], aligned=aligned, **defaults, **measured))
    run_probe(variant(files=files, **measured))


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        "python -m recipe", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(required=True, metavar="STAGE")

    def command(name: str, run, help: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(run=run)
        sub.add_argument("--threads", type=int, default=1, help="CPU threads for PyTorch (default 1)")
        return sub

    def with_folders(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--inputs", type=Path, default=Path("inputs"),
                         help="where the Debian packages were unpacked; / if they are installed (default: inputs)")
        sub.add_argument("--work", type=Path, default=Path("out"), help="where results go (default: out)")
        sub.add_argument("--smoke", action="store_true", help="tiny sizes: shows that the stage runs, teaches nothing")

    def with_budget(sub: argparse.ArgumentParser) -> None:
        budget = sub.add_mutually_exclusive_group()
        budget.add_argument("--steps", type=int, help="steps of 8 x 256 tokens (default: the preset's)")
        budget.add_argument("--minutes", type=float, help="stop by the clock instead; depends on the machine")
        sub.add_argument("--seed", type=int, default=1, help="of the weights and the batches (default 1)")
        sub.add_argument("--resume", action="store_true", help="go on from the checkpoint, if any; same budget")
        sub.add_argument("--no-compile", action="store_true", help="slower, but needs no C++ compiler")

    def with_pair(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("base", type=Path, help="the base's GGUF file")
        sub.add_argument("aligned", type=Path, help="the aligned model's GGUF file")
        sub.add_argument("--gamma", type=float, nargs="+", default=[0.4], help="thresholds (default 0.4)")

    def with_questions(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--questions", type=Path, required=True, help="rows of task, question, answer (JSON lines)")
        sub.add_argument("--limit", type=int, help="only the first LIMIT questions of each task")

    with_folders(command("vocab", vocab, "train the two vocabularies"))
    sub = command("train", train, "train one model from random weights")
    sub.add_argument("model", choices=PRESETS)
    with_folders(sub)
    with_budget(sub)
    sub = command("convert", convert, "write a trained model as a GGUF file")
    sub.add_argument("model", choices=PRESETS)
    with_folders(sub)
    with_folders(command("questions", questions, "write eval.jsonl, and fresh.jsonl which tuning never looked at"))
    with_folders(command("leaks", leaks, "check that no model reads what only the other may know"))
    sub = command("evaluate", run_evaluation, "score the models alone and nudged")
    with_pair(sub)
    with_questions(sub)
    sub.add_argument("--max-tokens", type=int, default=96, help="of an answer (default 96)")
    sub.add_argument("--nudged-only", action="store_true", help="leave out the two models alone")
    sub.add_argument("--answers", type=Path, help="also write every answer to this file (JSON lines)")
    sub = command("probe", run_probe, "see whether models know the content when the form is given")
    sub.add_argument("files", type=Path, nargs="+", help="GGUF files")
    with_questions(sub)
    sub = command("ask", ask, "show one nudged answer, round by round")
    with_pair(sub)
    sub.add_argument("question")
    sub = command("all", everything, "every stage, for all three models")
    with_folders(sub)
    with_budget(sub)
    return top


if __name__ == "__main__":
    sys.exit(run(parser()))

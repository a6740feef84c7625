"""What the recipes' command lines have in common."""

import argparse
import sys

import torch


def run(parser: argparse.ArgumentParser) -> int:
    """Does what the arguments say; the exit code: 2 for what the user can mend, 130 for Ctrl-C."""
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if hasattr(args, "work"):
        args.work.mkdir(parents=True, exist_ok=True)
    try:
        args.run(args)
    except (ValueError, FileNotFoundError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(str(stop) or "interrupted", file=sys.stderr)
        return 130
    return 0

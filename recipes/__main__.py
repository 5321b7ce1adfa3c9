"""``python -m recipes``: make the embedded weights again, step by step."""

import argparse
import logging
import sys

from recipes import evaluate_command, examining, publishing, teaching

COMMANDS = (
    teaching.COMMANDS
    | evaluate_command.COMMANDS
    | publishing.COMMANDS
    | examining.COMMANDS
)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="python -m recipes", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        told = (command.run.__doc__ or "").splitlines()[0]
        one = commands.add_parser(name, help=told)
        one.set_defaults(command=command.run)
        command.add_options(one.add_argument)
    return parser


def main() -> None:
    """Run one command."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    options = build_parser().parse_args()
    options.command(options)


if __name__ == "__main__":
    main()

"""The commands: `python -m db …`."""

import argparse
import sys
from pathlib import Path

from db.schema.roles_of_accounts import Role
from services.entrypoints import commands


def parser() -> argparse.ArgumentParser:
    """The command line. Each command is a function of `services.entrypoints.commands`; the parsed options hold it as
    `run`.
    """
    root = argparse.ArgumentParser(prog="python -m db", description="The portal's database.")
    sub = root.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, run: commands.Command, summary: str) -> argparse.ArgumentParser:
        command = sub.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        command.set_defaults(run=run)
        return command

    add("migrate", commands.migrate, "bring the schema to this version")
    command = add("import", commands.import_files, "read order documents, all or nothing per file")
    command.add_argument(
        "files", nargs="+", metavar="FILE", help="one JSON document a line; - is standard input"
    )
    command = add("demo", commands.demo, "make demo orders, stores, teams and accounts")
    command.add_argument("--orders", type=_count, default=500, metavar="N", help="how many (500)")
    command.add_argument(
        "--seed", type=int, default=1, metavar="S", help="another seed makes other orders (1)"
    )
    command.add_argument("--force", action="store_true", help="also into a database that is not empty")
    command = add("url", commands.url, "print the address of the database in use, as the app's role")
    command.add_argument("--owner", action="store_true", help="as the owner")
    add("stop", commands.stop, "stop the embedded database")
    command = add("backup", commands.backup, "write a consistent dump, also while the portal runs")
    command.add_argument("file", type=Path, metavar="FILE")
    command = add("restore", commands.restore, "put a dump into an empty database")
    command.add_argument("file", type=Path, metavar="FILE")
    add("maintain", commands.maintain, "do the housekeeping, once")
    command = add("account", commands.account, "make an account and print its one-time password")
    command.add_argument("email", metavar="EMAIL")
    command.add_argument("--name", required=True)
    command.add_argument("--role", required=True, choices=[role.value for role in Role])
    command.add_argument("--store", action="append", default=[], metavar="STORE", help="may be repeated")
    command.add_argument("--all-stores", action="store_true")
    return root


def _count(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) > 50_000_000:
        raise argparse.ArgumentTypeError("a whole number from 0 to 50,000,000 is expected")
    return int(value)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status: 0 done, 1 refused with a sentence, 2 a wrong command line."""
    options = parser().parse_args(arguments)
    return commands.in_sentences(options)


if __name__ == "__main__":
    sys.exit(main())

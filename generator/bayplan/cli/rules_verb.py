"""`bayplan rules`: which rules there are."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase

import click

from bayplan import pages
from bayplan.cli.options import format_option
from bayplan.cli.show import columns, data
from bayplan.errors import UsageError
from bayplan.render import data as as_data
from bayplan.render import rulebook


@click.command("rules")
@click.argument("pattern", default="*")
@format_option("text", "json", "markdown")
def command(pattern: str, form: str) -> None:
    """List all rules, or those of a family or PATTERN: how much each matters, its id, and what it finds.

    \b
    bayplan rules
    bayplan rules capacity
    bayplan rules '*/unknown*'
    """
    every = pages.every()
    some = [page for page in every.values() if pattern == page.family or fnmatchcase(page.rule, pattern)]
    if not some:
        raise UsageError(f"no rule is called {pattern}{_hint(pattern, tuple(every))}")
    if form == "json":
        click.echo(as_data.text("rules", {"rules": rulebook.data(some)}), nl=False)
    elif form == "markdown":
        click.echo(rulebook.index(some), nl=False)
    else:
        for line in columns(rulebook.rows(some)):
            data().print(line)


def _hint(pattern: str, rules: tuple[str, ...]) -> str:
    known = [*rules, *{rule.partition("/")[0] for rule in rules}]
    near = difflib.get_close_matches(pattern, sorted(known), 1)
    return f"; did you mean {near[0]}?" if near else "; bayplan rules lists all"

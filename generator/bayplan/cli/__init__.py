"""The command line. Each verb has a module of its own, imported when it is called: `--version` stays quick."""

from __future__ import annotations

import difflib
import gc
import importlib
import os
import sys

import click

from bayplan import __version__
from bayplan.errors import BayplanError, Exit, PolicyError
from bayplan.interrupt import undisturbed

VERBS = {
    "analyze": "What is asked of each node, and what is there.",
    "plan": "What would change, why, and whether it can hold.",
    "compile": "Write the files of each node.",
    "check": "Every finding about a policy.",
    "observe": "Look at the nodes, and write down what is there.",
    "apply": "Carry a plan out on the nodes.",
    "status": "What each node runs, and which plan it follows.",
    "verify": "What the policy says against what the kernel enforces.",
    "rollback": "Take a plan back.",
    "environments": "What each number is in each environment.",
    "explain": "What a rule or a key means; where a value comes from, layer by layer.",
    "rules": "Which rules there are.",
    "import": "Make a policy from Compose files.",
    "schema": "The JSON Schema of policy files.",
    "completion": "Shell completion for bash, zsh or fish.",
}


class Verbs(click.Group):
    """The group of all verbs; a verb's module is imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order in which one uses them."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb, imported now."""
        del ctx
        if cmd_name not in VERBS:
            return None
        with undisturbed():
            module = importlib.import_module(f"bayplan.cli.{cmd_name}_verb")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb that is meant; a misspelt one is answered with the nearest."""
        near = difflib.get_close_matches(args[0], VERBS, 1)
        if args[0] not in VERBS and near:
            ctx.fail(f"no verb '{args[0]}'; did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without importing them."""
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "BAYPLAN"})
@click.version_option(__version__, prog_name="bayplan")
def cli() -> None:
    """Plan a fleet of Docker Compose hosts: policies in, a proven plan and reviewed files out.

    \b
    bayplan analyze policies/bev     what stands where today
    bayplan plan    policies/bev     what to do about it, and why
    bayplan compile policies/bev     the files for each node

    Exit codes: 0 fine, 1 error, 2 changes pending (only with --detailed-exitcode), 3 policy violated or infeasible,
    4 stale, 5 rolled back, 6 held for a person, 64 wrong usage.
    """


_YOUNG = 1_000_000
"""New values after which Python looks for unused cycles among them."""
STOPPED = 130
"""What shells expect of a program that Ctrl-C ended: 128 and the number of the signal."""


def main() -> None:
    """Run the command line; errors of the user are sentences on stderr, with their exit code."""
    # What is read are many small values that stay: looking for cycles among them over and over takes a quarter more.
    gc.set_threshold(_YOUNG)
    out = sys.stdout
    code: object
    try:
        code = cli.main(standalone_mode=False)
    except click.UsageError as fault:
        fault.show()
        code = Exit.USAGE
    except click.ClickException as fault:
        fault.show()
        code = Exit.ERROR
    except BayplanError as fault:
        _show(fault)
        code = fault.exit_code
    except SystemExit as fault:
        # When nobody reads its output any more click puts a mute stdout in place and ends with 1; that is no error.
        code = fault.code if sys.stdout is out else Exit.FINE
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing may be flushed to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = Exit.FINE
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("stopped; nothing half written is left", err=True)
        code = STOPPED
    sys.exit(code if isinstance(code, int) else Exit.FINE)


def _show(fault: BayplanError) -> None:
    if isinstance(fault, PolicyError) and fault.findings:
        from bayplan.cli.show import show_findings, talk  # noqa: PLC0415 - rich is needed for findings only

        show_findings(talk(), fault.findings)
    click.echo(f"bayplan: {fault}", err=True)

"""The command line as tests call it."""

from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from mesotherm.cli import app


def mesotherm(*arguments: str | Path) -> Result:
    """Run a command in this process; what it raises is raised."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)

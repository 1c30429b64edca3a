"""The command line as tests call it."""

from pathlib import Path

from typer.testing import CliRunner, Result

from mesotherm.cli import app


def mesotherm(*arguments: str | Path) -> Result:
    """Run a command in this process; what it raises is raised."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)

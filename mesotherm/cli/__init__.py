"""The command line: one file per group of commands. ``mesotherm --help`` lists them."""

from typing import Annotated

import typer

from mesotherm._version import __version__
from mesotherm.cli.catalogue import describe, list_, new, schema
from mesotherm.cli.reproduce import reproduce
from mesotherm.cli.results import audit, cite, plot
from mesotherm.cli.run import check, run

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool):
    if wanted:
        typer.echo(f"mesotherm {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
):
    """Nonlinear thermoelectric transport in nanodevices, every answer audited.

    A device file (TOML) says which device, which reservoirs, what is done to it and which parameters are swept.
    mesotherm new KIND writes one to start from, mesotherm list shows the kinds, and the folder examples/ has more.
    """


COMPUTE, LOOK, LEARN = "Compute", "Look at results", "What there is"

app.command(rich_help_panel=COMPUTE)(run)
app.command(rich_help_panel=COMPUTE)(check)
app.command(rich_help_panel=COMPUTE)(reproduce)
app.command(rich_help_panel=LOOK)(audit)
app.command(rich_help_panel=LOOK)(plot)
app.command(rich_help_panel=LOOK)(cite)
app.command("list", rich_help_panel=LEARN)(list_)
app.command(rich_help_panel=LEARN)(describe)
app.command(rich_help_panel=LEARN)(new)
app.command(rich_help_panel=LEARN)(schema)

__all__ = ["app"]

"""Progress of long work on stderr."""

import sys
from collections.abc import Callable
from typing import Any

import typer


class Progress:
    """Progress on stderr: a bar on a terminal, lines elsewhere."""

    def __init__(self, *, silent: bool, title: str = ""):
        self._silent, self._title = silent, title
        self._bar: Any = None
        self._update: Callable[[int, int, str], None] = self._line
        self._done = 0

    def __enter__(self):
        if self._silent:
            return self
        if not sys.stderr.isatty():
            typer.echo(f"{self._title}compiling…", err=True)
            return self
        from rich import progress
        from rich.console import Console

        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
        )
        self._bar = progress.Progress(*columns, console=Console(stderr=True))
        task = self._bar.add_task(f"{self._title}compiling…", total=None)
        self._update = lambda done, total, word: self._bar.update(task, description=word, completed=done, total=total)
        self._bar.start()
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int):
        if self._silent:
            return
        # The count steps back where points that missed are done again with more effort.
        word = "refining" if done < self._done else "computing"
        self._done = max(done, self._done)
        self._update(done, total, self._title + word)

    @staticmethod
    def _line(done: int, total: int, word: str):
        typer.echo(f"{word}: {done} of {total} points", err=True)

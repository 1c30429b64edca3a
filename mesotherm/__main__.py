"""``python -m mesotherm`` is the command ``mesotherm``."""

from mesotherm.cli import app

if __name__ == "__main__":
    app()

"""Version of the package, the single source."""

__version__ = "0.1.0"

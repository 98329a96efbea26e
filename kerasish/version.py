"""The version of kerasish."""

__version__ = "0.1.0"


def version() -> str:
    """Return the version as text."""
    return __version__

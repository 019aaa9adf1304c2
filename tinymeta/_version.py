"""The version, where setup.cfg and the run folders read it."""

__version__ = "0.2.0"

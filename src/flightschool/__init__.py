"""DataOps Flight School: the tooling behind the thirteen notebooks."""

__version__ = "0.1.0"

"""bayplan: policies for a fleet of Docker hosts, compiled into a proven plan and reviewed files."""

__version__ = "0.1.0"

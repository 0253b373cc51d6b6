"""bayplan: policies for a fleet of Docker hosts, compiled into a proven plan and reviewed files."""

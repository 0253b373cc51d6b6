"""`python -m bayplan.cli`."""

from bayplan.cli import main

main()

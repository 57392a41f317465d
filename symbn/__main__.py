"""`python -m symbn` is the command `symbn`."""

from symbn.cli import main

main()

"""The bounds that a hostile or mistaken text meets early.

In: nothing.  Out: constants. Each is far above what a layer needs and far below what would hurt.
"""

from __future__ import annotations

MAX_BYTES = 256 * 1024  # of a file
MAX_TOKENS = 60_000  # in a file
MAX_STATEMENT_TOKENS = 3_000  # in one statement; Python's own parser recurses a level a term
MAX_BRACKETS = 60  # open at once
MAX_DEPTH = 50  # levels of an expression, chains of + and of * counting once
MAX_DIGITS = 1_000  # in a number as written, and in the numerator and denominator of a folded one
MAX_DECIMAL_EXPONENT = 300  # the 5 of 1e-5
MAX_POWER = 64  # a number that stands as an exponent, and its denominator
MAX_NAME = 60  # characters
MAX_AXES = 8  # of one array
MAX_DEFINITIONS = 500  # in one layer
MAX_LATEX = 100  # characters of a `# latex:` comment
MAX_NODES = 10_000  # parts of one formula that is read from NumPy code, its local names written out
MAX_LEVELS = 100  # of such a formula
MAX_CHAINED = 200  # equations in one text of LaTeX

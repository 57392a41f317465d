"""Code generation: from the formulas of a derivation to files."""

"""Expressions as text, one file a language."""

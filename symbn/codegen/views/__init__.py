"""What templates see: frozen records of strings and tuples of strings, one file a target."""

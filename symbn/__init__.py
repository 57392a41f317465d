"""symbn derives the backward pass of a layer from its definition."""

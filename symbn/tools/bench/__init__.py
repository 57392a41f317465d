"""Generated kernels beside the libraries that people use, and beside the memory floor; see `symbn bench --help`."""

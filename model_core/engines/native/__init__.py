"""An engine of small C kernels, compiled on first use, for machines without a GPU."""

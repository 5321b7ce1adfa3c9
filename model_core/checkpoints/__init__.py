"""Published weights: found, verified, read, and moved into the network by tables."""

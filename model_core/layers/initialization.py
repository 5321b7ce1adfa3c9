"""How fresh kernels start. A network that will be filled from a file starts at zero."""

import keras


def kernel_initializer(initializer_range: float) -> keras.initializers.Initializer:
    """Return BERT's truncated normal, or zeros for a range of 0.

    Drawing random numbers for every weight takes most of the time of loading a
    checkpoint, only to be written over.
    """
    if initializer_range == 0:
        return keras.initializers.Zeros()
    return keras.initializers.TruncatedNormal(stddev=initializer_range)

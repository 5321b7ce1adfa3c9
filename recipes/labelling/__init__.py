"""Labels that no data set gives, made from those it gives; one file per kind."""

from recipes.labelling.copying import TAGS, copy_tags
from recipes.labelling.extraction import extraction_labels
from recipes.labelling.sentiment import (
    CrossValidation,
    SentimentLabeller,
    cross_validate,
    learn_sentiment,
)
from recipes.labelling.splits import Splits, read_splits

__all__ = [
    "TAGS",
    "CrossValidation",
    "SentimentLabeller",
    "Splits",
    "copy_tags",
    "cross_validate",
    "extraction_labels",
    "learn_sentiment",
    "read_splits",
]

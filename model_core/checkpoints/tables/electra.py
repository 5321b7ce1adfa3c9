"""ELECTRA's weights: BERT's body, and heads of its own. Rows only.

A discriminator tells replaced tokens; a generator fills blanks. Changes when published
ELECTRA checkpoints show another name.
"""

from model_core.checkpoints.tables import bert
from model_core.checkpoints.tables.rules import dense, norm
from model_core.checkpoints.weight_map import Renaming, Rule, Twin, WeightTable

_kin = bert.kin(
    "electra",
    roots=(
        "generator_predictions",
        "generator_lm_head",
        "discriminator_predictions",
        "classifier",
        "qa_outputs",
    ),
)

TABLE = WeightTable(
    body=_kin.body,
    heads={
        "masked_lm": (
            *dense("masked_lm/transform", "generator_predictions.dense"),
            *norm("masked_lm/norm", "generator_predictions.LayerNorm"),
            Rule("masked_lm/bias", "generator_lm_head.bias"),
        ),
        "replaced": (
            *dense("replaced/dense", "discriminator_predictions.dense"),
            *dense("replaced/output", "discriminator_predictions.dense_prediction"),
        ),
        "span": dense("span/dense", "qa_outputs"),
        "classifier": (
            *dense("classifier/dense", "classifier.dense"),
            *dense("classifier/output", "classifier.out_proj"),
        ),
    },
    twins=(
        Twin(
            "generator_lm_head.weight",
            "embeddings.word_embeddings.weight",
            head="masked_lm",
            reason="an output head untied from the token embedding is not supported",
        ),
    ),
    ignored=(*bert.IGNORED, r"generator_of_training\..*"),
    renamings={
        **_kin.renamings,
        "tensorflow": (
            # one file holds both; the network is the discriminator
            Renaming(
                r"^(generator|generator_predictions)/", r"generator_of_training/\1/"
            ),
            Renaming(
                r"^discriminator_predictions/dense_1/",
                "discriminator_predictions/dense_prediction/",
            ),
            *_kin.renamings["tensorflow"],
        ),
    },
    hints={
        "tensorflow": "a TensorFlow file of ELECTRA is read as its discriminator: of "
        "the generator beside it convert the PyTorch files, and give the "
        "discriminator its own config"
    },
)

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
    ignored=(*bert.IGNORED, r"other_of_training\..*"),
    # One TensorFlow file holds both networks, which share the embeddings.
    renamings={
        **_kin.renamings,
        "tensorflow": (
            Renaming(r"^(generator|generator_predictions)/", r"other_of_training/\1/"),
            Renaming(
                r"^discriminator_predictions/dense_1/",
                "discriminator_predictions/dense_prediction/",
            ),
            *_kin.renamings["tensorflow"],
        ),
        "tensorflow generator": (
            Renaming(
                r"^(electra/(?:encoder|embeddings_project)|discriminator_predictions)/",
                r"other_of_training/\1/",
            ),
            Renaming(r"^generator/", "electra/"),
            Renaming(r"^generator_predictions/output_bias$", "generator_lm_head/bias"),
            *_kin.renamings["tensorflow"],
        ),
    },
    alternatives={"tensorflow": ("tensorflow generator",)},
    hints={
        "tensorflow": "a TensorFlow file of ELECTRA holds a discriminator and a "
        "generator of other sizes: the config has to be that of one of them"
    },
)

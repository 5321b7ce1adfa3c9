"""Settings that several families share; a family's own stand in its row.

Changes when a field of many families is published under another key.
"""

from model_core.models.families.family import Setting

SIZES = (
    Setting("vocab_size", ("vocab_size",)),
    Setting("hidden_size", ("hidden_size",)),
    Setting("num_hidden_layers", ("num_hidden_layers",)),
    Setting("num_attention_heads", ("num_attention_heads",)),
    Setting("intermediate_size", ("intermediate_size",)),
)
POSITIONS = Setting("max_position_embeddings", ("max_position_embeddings",), 512)
LABELS = Setting("num_labels", ("num_labels", "id2label"), 2)
SPREAD = Setting("initializer_range", ("initializer_range",), 0.02)

BERT_SETTINGS = (
    *SIZES,
    POSITIONS,
    Setting("type_vocab_size", ("type_vocab_size",), 2),
    Setting("hidden_act", ("hidden_act",), "gelu"),
    Setting("layer_norm_eps", ("layer_norm_eps",), 1e-12),
    SPREAD,
    Setting("dropout", ("hidden_dropout_prob",), 0.1),
    Setting("attention_dropout", ("attention_probs_dropout_prob",), 0.1),
    LABELS,
)
GPT_SETTINGS = (
    Setting("vocab_size", ("vocab_size", "n_vocab")),
    Setting("hidden_size", ("n_embd", "hidden_size")),
    Setting("num_hidden_layers", ("n_layer", "num_hidden_layers")),
    Setting("num_attention_heads", ("n_head", "num_attention_heads")),
    Setting("intermediate_size", ("n_inner", "intermediate_size"), None),
    Setting("layer_norm_eps", ("layer_norm_epsilon",), 1e-5),
    SPREAD,
    Setting("dropout", ("resid_pdrop",), 0.1),
    Setting("attention_dropout", ("attn_pdrop",), 0.1),
)
BART_SETTINGS = (
    Setting("vocab_size", ("vocab_size",)),
    Setting("hidden_size", ("d_model",)),
    Setting("num_hidden_layers", ("encoder_layers",)),
    Setting("num_decoder_layers", ("decoder_layers",)),
    Setting("num_attention_heads", ("encoder_attention_heads",)),
    Setting("intermediate_size", ("encoder_ffn_dim",)),
    Setting("max_position_embeddings", ("max_position_embeddings",), 1024),
    Setting("hidden_act", ("activation_function",), "gelu"),
    Setting("initializer_range", ("init_std",), 0.02),
    Setting("dropout", ("dropout",), 0.1),
    Setting("attention_dropout", ("attention_dropout",), 0.0),
    LABELS,
)
BART_ALIKE = (
    ("encoder_attention_heads", "decoder_attention_heads"),
    ("encoder_ffn_dim", "decoder_ffn_dim"),
)
NO_DECODER = {"is_decoder": (False,), "add_cross_attention": (False,)}

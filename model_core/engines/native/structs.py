"""The structs of ``kernels/maskplay.h`` for ctypes. Changes with that file only."""

import ctypes
from ctypes import POINTER, Structure, c_float, c_int32, c_int64, c_void_p

PANEL = 16
"""Outputs that stand side by side in a panel."""

ACTIVATIONS = {
    "linear": 0,
    "gelu": 1,
    "gelu_new": 2,
    "relu": 3,
    "silu": 4,
    "tanh": 5,
}
PRECISIONS = {"float32": 0, "int8": 1, "dynamic": 2}
PLACEMENTS = {"post": 0, "pre": 1, "sandwich": 2}
NORM_KINDS = {"layer": 1, "rms": 2, "bare_rms": 2}
ROTARY_STYLES = {"halves": 1, "neighbours": 2}


class Linear(Structure):
    """``mp_linear``."""

    _fields_ = (
        ("num_inputs", c_int32),
        ("num_outputs", c_int32),
        ("precision", c_int32),
        ("panels", c_void_p),
        ("scales", c_void_p),
        ("bias", c_void_p),
    )


class Norm(Structure):
    """``mp_norm``."""

    _fields_ = (
        ("kind", c_int32),
        ("epsilon", c_float),
        ("gamma", c_void_p),
        ("beta", c_void_p),
    )


class Block(Structure):
    """``mp_block``."""

    _fields_ = (
        ("query_key_value", Linear),
        ("output", Linear),
        ("source_query", Linear),
        ("source_key_value", Linear),
        ("source_output", Linear),
        ("inner", Linear),
        ("gate", Linear),
        ("outer", Linear),
        ("attention_norm", Norm),
        ("source_norm", Norm),
        ("feed_forward_norm", Norm),
    )


class Body(Structure):
    """``mp_body``."""

    _fields_ = (
        ("hidden_size", c_int32),
        ("num_heads", c_int32),
        ("head_size", c_int32),
        ("num_layers", c_int32),
        ("placement", c_int32),
        ("activation", c_int32),
        ("is_gated", c_int32),
        ("reads_source", c_int32),
        ("rotary", c_int32),
        ("num_positions", c_int32),
        ("scale", c_float),
        ("cosines", c_void_p),
        ("sines", c_void_p),
        ("bias", c_void_p),
        ("bias_reach", c_int32),
        ("num_distances", c_int32),
        ("relation_keys", c_void_p),
        ("relation_values", c_void_p),
        ("layers", POINTER(POINTER(Block))),
        ("final_norm", Norm),
    )


class Slot(Structure):
    """``mp_slot``."""

    _fields_ = (
        ("keys", c_void_p),
        ("values", c_void_p),
        ("layer_stride_keys", c_int64),
        ("layer_stride_values", c_int64),
        ("capacity", c_int32),
        ("is_half", c_int32),
    )


class Rows(Structure):
    """``mp_rows``."""

    _fields_ = (
        ("num_rows", c_int32),
        ("slot", c_void_p),
        ("place", c_void_p),
        ("position", c_void_p),
        ("limit", c_void_p),
        ("shared_slot", c_void_p),
        ("shared_length", c_void_p),
        ("source_slot", c_void_p),
        ("source_length", c_void_p),
        ("slots", c_void_p),
        ("source_slots", c_void_p),
        ("longest", c_int32),
    )


class Pass(Structure):
    """``mp_pass``."""

    _fields_ = (
        ("num_threads", c_int32),
        ("first_layer", c_int32),
        ("last_layer", c_int32),
        ("body", POINTER(Body)),
        ("rows", POINTER(Rows)),
        ("hidden", c_void_p),
        ("residual", c_void_p),
        ("room", c_void_p),
    )


def declare(library: ctypes.CDLL) -> ctypes.CDLL:
    """Tell ctypes what every function of the kernels takes and returns."""
    library.mp_name.restype = ctypes.c_char_p
    library.mp_room.argtypes = [POINTER(Pass)]
    library.mp_room.restype = c_int64
    library.mp_run.argtypes = [POINTER(Pass)]
    library.mp_run.restype = None
    library.mp_linear_room.argtypes = [POINTER(Linear), c_int32]
    library.mp_linear_room.restype = c_int64
    library.mp_linear_rows.argtypes = [
        POINTER(Linear),
        c_void_p,
        c_void_p,
        c_int32,
        c_int32,
        c_void_p,
        c_int32,
    ]
    library.mp_linear_rows.restype = None
    library.mp_norm_rows.argtypes = [
        POINTER(Norm),
        c_void_p,
        c_void_p,
        c_int32,
        c_int32,
        c_int32,
    ]
    library.mp_norm_rows.restype = None
    library.mp_keep_source.argtypes = [
        POINTER(Body),
        c_void_p,
        c_int32,
        c_void_p,
        c_void_p,
        c_void_p,
        c_int32,
        c_int32,
    ]
    library.mp_keep_source.restype = None
    return library

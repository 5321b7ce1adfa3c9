"""Who is measured: our engines by name, and the peers, one row each.

Changes when a peer is added: its row, and a file in ``benchmarks/peers``. Loads no
framework.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ALL_PARTS = ("decode", "encoder", "beams")
STREAMS = "streams"
REFERENCE = "keras"
INT8 = "int8"
"""An engine of ours whose name has it keeps its weights so."""
READERS = ("openvino",)
"""Engines of ours whose steps are another's: only what they read is measured."""


@dataclass(frozen=True, slots=True)
class Row:
    """A contender.

    Attributes:
        name: Shown, and chosen by.
        module: Keeps ``benchmarks.contract.Contender``.
        precision: ``float32`` or ``int8``.
        parts: What it can do.
        engine: Of ours; "" for a peer.
        in_peers: Whether it needs the peers' interpreter.
        once: Parts that are measured in the first round only: the slow ones, and those
            that only prove that the work is the same.
        most_rows: Batches with more rows are left out.
    """

    name: str
    module: str
    precision: str
    parts: tuple[str, ...] = ALL_PARTS
    engine: str = ""
    in_peers: bool = True
    once: tuple[str, ...] = ()
    most_rows: int = 1000

    @property
    def is_ours(self) -> bool:
        """Whether one of our engines answers, cache and all."""
        return self.module == "benchmarks.ours"


_PEERS = (
    Row(
        "transformers",
        "benchmarks.peers.transformers_peer",
        "float32",
        in_peers=False,
    ),
    Row("ctranslate2-int8", "benchmarks.peers.ctranslate2_peer", "int8"),
    Row(
        "ctranslate2-float32",
        "benchmarks.peers.ctranslate2_peer",
        "float32",
        ("decode", "beams"),
        once=("decode",),
    ),
    Row("onnxruntime-int8", "benchmarks.peers.onnxruntime_peer", "int8"),
    Row(
        "onnxruntime-float32",
        "benchmarks.peers.onnxruntime_peer",
        "float32",
        once=ALL_PARTS,
    ),
    Row("openvino-int8", "benchmarks.peers.openvino_peer", "int8", once=("encoder",)),
    Row(
        "openvino-float32",
        "benchmarks.peers.openvino_peer",
        "float32",
        once=("decode", "beams"),
    ),
    Row(
        "keras-hub",
        "benchmarks.peers.keras_hub_peer",
        "float32",
        ("decode", "encoder"),
        once=ALL_PARTS,
        most_rows=1,
    ),
    Row(
        "recomputed",
        "benchmarks.peers.recomputed_peer",
        "float32",
        ("decode",),
        engine="keras",
        in_peers=False,
        once=ALL_PARTS,
        most_rows=1,
    ),
)
PEERS: Mapping[str, Row] = {row.name: row for row in _PEERS}


def engine_row(engine: str) -> Row:
    """Return the row of an engine of ours.

    Args:
        engine: A key of the registry, with ``:float32`` or ``:int8`` behind it where
            its name does not say what its weights are.
    """
    name, _, precision = engine.partition(":")
    usual = INT8 if INT8 in name else "float32"
    return Row(
        f"ours-{name}",
        "benchmarks.ours",
        precision or usual,
        ("encoder",) if name in READERS else (*ALL_PARTS, STREAMS),
        name,
        in_peers=False,
        once=ALL_PARTS if name == REFERENCE else (),
    )

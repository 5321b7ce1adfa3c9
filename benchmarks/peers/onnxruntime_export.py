"""ONNX Runtime's files: optimum's export, its fusions, its dynamic quantisation.

Changes when its way of exporting or quantising changes.
"""

from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from optimum.exporters.onnx import main_export

from benchmarks.contract import Setup

TASKS = {
    "decode": "text-generation-with-past",
    "encoder": "feature-extraction",
    "beams": "text2text-generation-with-past",
}
FUSED = "O2"
"""Its own fusions of attention, norms and activations, exact on the processor."""


def prepare(setup: Setup, part: str) -> None:
    """Export the folder; for int8 quantise every graph of it in its place."""
    main_export(
        str(setup.source),
        setup.made,
        task=TASKS[part],
        do_validation=False,
        optimize=FUSED,
    )
    if setup.precision == "int8":
        # one file for both kinds of steps hides its products from the quantiser
        (setup.made / "decoder_model_merged.onnx").unlink(missing_ok=True)
        for path in sorted(setup.made.glob("*.onnx")):
            quantise(path)


def quantise(path: Path) -> None:
    """Replace a graph by one with int8 weights."""
    whole = path.rename(path.with_suffix(".float"))
    # seven bits: products of eight overflow their 16-bit sums where there is no VNNI
    quantize_dynamic(
        whole,
        path,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    for old in (whole, path.with_suffix(".onnx_data")):
        old.unlink(missing_ok=True)

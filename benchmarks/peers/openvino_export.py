"""OpenVINO's files: optimum-intel's stateful export, int8 weights by nncf.

Changes when its way of exporting or compressing changes.
"""

from pathlib import Path

import nncf
import openvino
from optimum.exporters.openvino import main_export
from optimum.intel import OVConfig

from benchmarks.contract import Setup

TASKS = {
    "decode": "text-generation-with-past",
    "encoder": "feature-extraction",
    "beams": "text2text-generation-with-past",
}


def prepare(setup: Setup, part: str) -> None:
    """Export the folder; for int8 compress every graph of it in its place."""
    main_export(
        str(setup.source),
        setup.made,
        task=TASKS[part],
        ov_config=OVConfig(dtype="fp32"),
    )
    if setup.precision == "int8":
        for path in sorted(setup.made.glob("*_model.xml")):
            compress(path)


def compress(path: Path) -> None:
    """Replace a graph by one with int8 weights."""
    made = path.with_name(f"int8_{path.name}")
    network = nncf.compress_weights(openvino.Core().read_model(path))
    openvino.save_model(network, made, compress_to_fp16=False)
    del network  # the old file is mapped until here
    for suffix in (".xml", ".bin"):
        made.with_suffix(suffix).replace(path.with_suffix(suffix))

"""Ready-made requests worth a click: the texts of every play.

Changes when what is offered of the presets changes.
"""

from demos.fewshot.presets import PRESETS
from demos.fewshot.task import FewshotRequest

CAPTION_CHARS = 16
EXAMPLES: tuple[FewshotRequest, ...] = tuple(
    request for preset in PRESETS for request in preset.requests
)


def caption(request: FewshotRequest) -> str:
    """Return a short name for a button: how the text begins."""
    text = request.text[:CAPTION_CHARS]
    return f"{text}…" if len(request.text) > CAPTION_CHARS else text

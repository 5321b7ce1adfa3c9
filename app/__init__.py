"""The browser application: the only package that imports gradio.

Changes when something must be settled before gradio is imported, because gradio reads
it only then: here, that nothing is reported to anyone.
"""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

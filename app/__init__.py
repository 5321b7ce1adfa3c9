"""The browser application: the only package that imports gradio.

Changes when something must be settled before gradio is imported, because gradio reads
it only then: here, that nothing is reported to anyone, and that gradio does not sum up
its own statistics after every request (``/metrics`` has ours).
"""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "100"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**12)

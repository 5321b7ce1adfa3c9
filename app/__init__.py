"""The browser application: the only package that imports gradio.

Changes when something must be settled before gradio or numpy is imported, because they
read it only then: here, that nothing is reported to anyone, that gradio does not sum up
its own statistics after every request (``/metrics`` has ours), that it writes no files
for editors, and that numpy's products take one thread. There are small ones only, and
the kernels' threads are busy: two that share a product wait for each other longer than
one takes.
"""

import os

from app.editor_stubs import leave_editor_stubs

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "100"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**12)
leave_editor_stubs()

"""Draw what headlines and summaries have in common. Pure: values in, HTML out.

Changes when the lines around a rewritten text look different.
"""

from app import views

FINISH = {
    "stop": ("写完 finished", "done"),
    "length": ("到上限 length limit", "plain"),
    "": ("停在这里 stopped", "plain"),
}
WAITING = views.waiting("写")

"""From next-token logits to text: filters, sampling, beams, healing, one loop.

Knows numpy and the ``Stepper`` Protocol; no framework, no tokenizer and no task.
"""

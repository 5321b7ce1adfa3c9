"""How the embedded weights were made: data, training, evaluation, export.

Every step is one command of ``python -m recipes``.
"""

"""The scores that each task's field uses; one file per score.

Every score is a share, 0..1. Knows no model and no file.
"""

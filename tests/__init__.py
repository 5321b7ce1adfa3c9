"""Tests; the packages below mirror app, demos and model_core."""

"""Vital signs as data: expression, unit, thresholds, texts."""

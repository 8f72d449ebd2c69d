"""Prometheus and OpenMetrics text."""

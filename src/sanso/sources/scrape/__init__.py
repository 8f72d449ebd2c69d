"""Scraping: reading `/metrics` pages of targets as Prometheus does."""

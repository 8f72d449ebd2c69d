"""What the scraper knows of itself: targets by health, samples that were not taken."""

from __future__ import annotations

from collections import Counter

from sanso.model.frame import Family, Row
from sanso.model.labels import Labels, series_of
from sanso.sources.readings import RowBuilder
from sanso.sources.scrape.scraper import Scraper


class ScrapeFigures:
    """One row a tick; nothing where there is nothing to scrape."""

    name = "scrape"
    families = (
        Family("sanso_scrape_targets", "gauge", "Targets of a job by health (up, down, unknown)."),
        Family("sanso_scrape_duplicate_samples_total", "counter", "Samples whose series stood in the page already."),
        Family("sanso_scrape_refused_samples_total", "counter", "Samples too late, or not what is held at their time."),
    )

    def __init__(self, scraper: Scraper) -> None:
        self._scraper = scraper
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:  # noqa: ARG002 - as of now
        """Counts now."""
        jobs = self._scraper.readings()
        if not jobs:
            return None
        labels: list[Labels] = [series_of(family.name) for family in self.families[1:]]
        values = [float(self._scraper.losses.duplicates), float(self._scraper.losses.refused)]
        for job in jobs:
            health = Counter(reading.health for reading in job.active)
            for kind in ("up", "down", "unknown"):
                labels.append(series_of("sanso_scrape_targets", scrape_job=job.name, health=kind))
                values.append(float(health[kind]))
        return self._builder.row(tuple(job.name for job in jobs), labels, values)

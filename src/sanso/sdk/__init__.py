"""What an application imports to measure itself: the standard library only."""

from sanso.sdk.inference import Inference
from sanso.sdk.instruments import Counter, Gauge, Histogram
from sanso.sdk.tasks import Task
from sanso.sdk.telemetry import Telemetry
from sanso.sdk.worker import Worker

__all__ = ["Counter", "Gauge", "Histogram", "Inference", "Task", "Telemetry", "Worker"]

"""Forks, ends and dead servers, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.peers import free_port
from tests.sdk.receiver import receiving


def run(folder: Path, script: str, url: str, *, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a script whose warnings are errors; it may print, but nothing to stderr."""
    file = folder / "script.py"
    file.write_text(textwrap.dedent(script))
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(file)],
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": url, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ran.returncode == code, ran.stderr
    if not code:
        assert ran.stderr == ""
    return ran


def test_last_values_are_flushed_when_the_process_ends(tmp_path: Path) -> None:
    script = """
        from sanso.sdk import Telemetry
        telemetry = Telemetry(service="short", interval=60)
        telemetry.counter("orders_total").add(3)
        telemetry.histogram("d_seconds").record(0.5)
    """
    with receiving() as receiver:
        run(tmp_path, script, receiver.url)
        assert receiver.value("orders_total") == 3
        assert receiver.value("d_seconds") == 1
        assert receiver.one("orders_total").resource["service.name"] == "short"


def test_last_values_are_flushed_when_it_ends_by_an_exception(tmp_path: Path) -> None:
    script = """
        from sanso.sdk import Telemetry
        telemetry = Telemetry(service="short", interval=60)
        with telemetry.task("t"):
            raise ValueError("the application's own")
    """
    with receiving() as receiver:
        ran = run(tmp_path, script, receiver.url, code=1)
        assert ran.stderr.endswith("ValueError: the application's own\n")
        assert receiver.value("sanso_tasks_total", outcome="failed") == 1


def test_a_forked_child_counts_for_itself(tmp_path: Path) -> None:
    script = """
        import os, sys
        from sanso.sdk import Telemetry
        telemetry = Telemetry(service="preload", interval=60, instance=sys.argv[1] if sys.argv[1:] else None)
        add = telemetry.counter("orders_total").add
        record = telemetry.histogram("d_seconds").record
        worker = telemetry.worker("A")
        add(5); record(1)
        with telemetry.task("t"), worker.task("x"):
            telemetry.flush()
            add(10); record(1)
            pid = os.fork()
            if not pid:
                add(2); record(1)
        if not pid:
            grandchild = os.fork()
            if grandchild:
                os.waitpid(grandchild, 0)
            else:
                add(1)
            sys.exit()
        os.waitpid(pid, 0)
    """
    with receiving() as receiver:
        run(tmp_path, script, receiver.url)
        assert sorted(series.value for series in receiver.latest("orders_total")) == [1, 2, 15]
        assert sorted(series.value for series in receiver.latest("d_seconds")) == [0, 1, 2]
        series = receiver.latest("orders_total")
        assert len({s.resource["service.instance.id"] for s in series}) == 3
        assert len({s.resource["process.pid"] for s in series}) == 3
        assert receiver.total("sanso_tasks_total", outcome="completed") == 1
        assert len(receiver.latest("sanso_worker_info")) == 1


def test_a_forked_child_pushes_by_itself_and_keeps_a_given_name(tmp_path: Path) -> None:
    script = """
        import os, sys, time
        from sanso.sdk import Telemetry
        telemetry = Telemetry(service="preload", interval=0.05, instance="web-1")
        counter = telemetry.counter("orders_total")
        telemetry.flush()
        if not os.fork():
            counter.add(2)
            time.sleep(0.5)
            os._exit(0)
        os.wait()
    """
    with receiving() as receiver:
        run(tmp_path, script, receiver.url)
        found = {series.resource["service.instance.id"]: series.value for series in receiver.latest("orders_total")}
        (child,) = found.keys() - {"web-1"}
        assert child.startswith("web-1:")
        assert found == {"web-1": 0, child: 2}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_flush_at_their_end(tmp_path: Path, method: str) -> None:
    script = f"""
        import multiprocessing
        from sanso.sdk import Telemetry

        telemetry = Telemetry(service="mp", interval=60)
        add = telemetry.counter("orders_total").add

        def work(n):
            add(n)

        if __name__ == "__main__":
            context = multiprocessing.get_context("{method}")
            children = [context.Process(target=work, args=(n,)) for n in (1, 2, 4)]
            for child in children:
                child.start()
            for child in children:
                child.join()
                assert child.exitcode == 0
    """
    with receiving() as receiver:
        run(tmp_path, script, receiver.url)
        values = sorted(series.value for series in receiver.latest("orders_total"))
        assert [value for value in values if value] == [1, 2, 4]


def test_a_telemetry_that_is_made_in_a_child_flushes_too(tmp_path: Path) -> None:
    script = """
        import multiprocessing
        from sanso.sdk import Telemetry

        def work(n):
            Telemetry(service="mp", interval=60).counter("orders_total").add(n)

        if __name__ == "__main__":
            child = multiprocessing.get_context("fork").Process(target=work, args=(3,))
            child.start()
            child.join()
    """
    with receiving() as receiver:
        run(tmp_path, script, receiver.url)
        assert receiver.value("orders_total") == 3


def test_a_pool_in_an_executor_counts_for_itself(tmp_path: Path) -> None:
    script = """
        from concurrent.futures import ProcessPoolExecutor
        from sanso.sdk import Telemetry

        telemetry = Telemetry(service="mp", interval=60)

        @telemetry.task("square")
        def square(n):
            return n * n

        if __name__ == "__main__":
            with ProcessPoolExecutor(2) as pool:
                assert list(pool.map(square, range(10))) == [n * n for n in range(10)]
    """
    with receiving() as receiver:
        run(tmp_path, script, receiver.url)
        assert receiver.total("sanso_tasks_total", outcome="completed") == 10


def test_a_dead_server_costs_neither_memory_nor_noise_nor_time(tmp_path: Path) -> None:
    script = """
        import resource, time
        from sanso.sdk import Telemetry
        telemetry = Telemetry(service="alone", interval=0.05)
        record = telemetry.histogram("d_seconds").record
        add = telemetry.counter("orders_total").add
        worker = telemetry.worker("A")
        def megabytes():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        def burst():
            for n in range(20_000):
                record(n * 1e-6); add(1)
            time.sleep(0.02)
        for _ in range(10):
            burst()
        before = megabytes()
        for _ in range(60):
            burst()
        assert megabytes() - before < 16, (before, megabytes())
        assert telemetry.flush(0.2) is False
        started = time.monotonic()
        assert telemetry.close() is False
        assert time.monotonic() - started < 1
    """
    run(tmp_path, script, f"http://127.0.0.1:{free_port()}")


def test_an_import_takes_the_standard_library_only(tmp_path: Path) -> None:
    script = """
        import sys
        import sanso.sdk
        roots = {name.partition(".")[0] for name in sys.modules}
        strange = roots - set(sys.stdlib_module_names) - {"__main__", "__mp_main__", "sanso", "sitecustomize"}
        assert not {"numpy", "textual", "starlette", "psutil", "google", "opentelemetry"} & roots, roots
        assert not [name for name in strange if not name.startswith(("_", "usercustomize"))], strange
        ours = {name for name in sys.modules if name.startswith("sanso.") and not name.startswith("sanso.sdk")}
        assert ours == {"sanso.exposition", "sanso.exposition.formats"}
        sanso.sdk.Telemetry(service="x", endpoint="http://127.0.0.1:9").histogram("d").record(1)
        assert "numpy" not in sys.modules
    """
    run(tmp_path, script, f"http://127.0.0.1:{free_port()}")

"""`python -m tests.fuzz TARGET SECONDS`: by atheris where it is installed, else by changing seeds at random.

An input may take 10 s, the process 4 GiB; whatever a target does not expect ends the run with the input in hex.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib.util
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.mutation import MOST_BYTES, mutated

MOST_S = 10
PROCESS_S = 100
MOST_MEMORY = 4 << 30
MOST_RESIDENT_KB = 2 << 20


def by_atheris(name: str, seconds: int) -> None:
    """Guided by coverage, in processes that go on from each other: what atheris remembers of every input adds up."""
    from tests.fuzz import targets

    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(targets.TARGETS[name]().seeds):
            Path(folder, f"seed-{number}").write_bytes(seed)
        for begun in range(0, seconds, PROCESS_S):
            turn = [name, str(min(PROCESS_S, seconds - begun)), "--corpus", folder]
            done = subprocess.run([sys.executable, "-m", "tests.fuzz", *turn])
            if done.returncode:
                sys.exit(done.returncode)


def one_process(name: str, seconds: int, folder: str) -> None:
    """From the inputs in a folder, which takes new ones; ends the process."""
    import atheris

    with atheris.instrument_imports(include=["sanso"]):
        from tests.fuzz import targets
    limits = [f"-max_total_time={seconds}", f"-timeout={MOST_S}", f"-rss_limit_mb={MOST_RESIDENT_KB >> 10}"]
    artifacts = f"-artifact_prefix={tempfile.gettempdir()}/fuzz-{name}-"
    atheris.Setup([name, *limits, artifacts, f"-max_len={MOST_BYTES}", folder], targets.TARGETS[name]().take)
    atheris.Fuzz()


def by_chance(name: str, seconds: int, seed: int) -> None:
    """Until the time is up, or a fault."""
    from tests.fuzz import targets

    target = targets.TARGETS[name]()
    chance = random.Random(seed)
    end, count, slowest = time.monotonic() + seconds, 0, 0.0
    while (began := time.monotonic()) < end:
        data = mutated(target.seeds, chance)
        faulthandler.dump_traceback_later(MOST_S, exit=True)
        try:
            target.take(data)
        except BaseException:
            print(f"{name}: after {count} inputs, the fault of bytes.fromhex({data.hex()!r})", file=sys.stderr)
            raise
        faulthandler.cancel_dump_traceback_later()
        slowest, count = max(slowest, time.monotonic() - began), count + 1
        if count % 1000 == 0 and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > MOST_RESIDENT_KB:
            raise MemoryError(f"{name}: more than {MOST_RESIDENT_KB >> 10} MiB resident after {count} inputs")
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(
        f"{name}: {count} inputs in {seconds} s, the slowest {slowest * 1000:.0f} ms, {resident} MiB resident at most"
    )


def main() -> None:
    """Run one target."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target")
    parser.add_argument("seconds", type=int)
    parser.add_argument("--seed", type=int, default=1, help="of the changes by chance")
    parser.add_argument("--by-chance", action="store_true", help="without atheris")
    parser.add_argument("--corpus", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    if given.corpus:
        one_process(given.target, given.seconds, given.corpus)
    elif importlib.util.find_spec("atheris") and not given.by_chance:
        by_atheris(given.target, given.seconds)
    else:
        by_chance(given.target, given.seconds, given.seed)


if __name__ == "__main__":
    main()

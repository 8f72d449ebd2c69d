"""Two minutes of eight forked processes, killed at random and started again: is anything lost, or told twice?

Usage: fork_kill.py [SECONDS]
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.sdk.killing import experiment


def main() -> int:
    seconds = float(sys.argv[1]) if sys.argv[1:] else 120.0
    outcome = experiment(seconds, seed=1)
    print(f"{outcome.flushed} processes lived to flush, {outcome.killed} were killed, in {seconds:.0f} s")
    print(f"  recorded by those that lived {outcome.recorded:>12,}")
    print(f"  received of them             {outcome.received:>12,}")
    print(f"  received of the killed       {outcome.killed_received:>12,}  (never more than they recorded)")
    for pid, recorded, received in outcome.wrong:
        print(f"  WRONG: process {pid} recorded {recorded:,}, {received:,.0f} arrived")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

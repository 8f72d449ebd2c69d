"""The demo's customers: a bounded, swaying load on the service. `python -m sanso.demo.load PORT`."""

from __future__ import annotations

import http.client
import math
import random
import sys
import threading
import time

from sanso.demo.child import live_as_long_as_the_parent

_CUSTOMERS = 8
_RATE = 40.0
"""Requests a second, on the average."""
_PATHS = {"/pay": 5.0, "/search?q=tea": 3.0, "/report/7": 1.0, "/wp-login.php": 0.2}


def main(port: int) -> None:
    """Ask until the parent ends."""
    live_as_long_as_the_parent(lambda: None)
    for _ in range(_CUSTOMERS - 1):
        threading.Thread(target=_customer, args=(port,), daemon=True).start()
    _customer(port)


def _customer(port: int) -> None:
    paths, weights = list(_PATHS), list(_PATHS.values())
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    while True:
        sway = 1 + 0.5 * math.sin(time.monotonic() / 15)
        time.sleep(random.expovariate(_RATE / _CUSTOMERS * sway))
        try:
            connection.request("GET", random.choices(paths, weights)[0])
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):  # not up yet, or going down
            connection.close()
            time.sleep(0.2)


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""`python -m sanso` is the command `sanso`."""

import sys

from sanso.cli.main import main

sys.exit(main())

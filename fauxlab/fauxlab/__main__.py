"""`python -m fauxlab` is the `fauxlab` command."""

import sys

from fauxlab.cli.main import main

sys.exit(main())

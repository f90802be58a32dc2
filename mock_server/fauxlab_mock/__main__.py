"""`python -m fauxlab_mock` is the `fauxlab` command."""

import sys

from fauxlab_mock.cli import main

sys.exit(main())

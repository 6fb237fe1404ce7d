"""``python -m guidance``: the same as ``seedguide``."""

import sys

from guidance.commands import main

sys.exit(main())

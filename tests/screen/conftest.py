"""The screen is tested without one."""

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

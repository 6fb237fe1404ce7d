"""``python -m benchmarks [applicator] [dose] [dvh] [listener] [screen] [transport]
[volume]``: print the ratios."""

from __future__ import annotations

import platform
import sys

from benchmarks import applicator, dose, dvh, listener, screen, transport, volume

PARTS = {
    "applicator": applicator.main,
    "dose": dose.main,
    "dvh": dvh.main,
    "listener": listener.main,
    "screen": screen.main,
    "transport": transport.main,
    "volume": volume.main,
}


def main() -> int:
    wanted = sys.argv[1:] or list(PARTS)
    for name in wanted:
        if name not in PARTS:
            print(f"benchmarks: {name} is none of {', '.join(PARTS)}", file=sys.stderr)
            return 2
    print(f"Python {platform.python_version()} on {platform.machine()}")
    for name in wanted:
        PARTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())

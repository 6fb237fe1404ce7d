"""``python -m benchmarks [PART ...]``: print the ratios; long parts run only when named."""

from __future__ import annotations

import platform
import sys

from benchmarks import (
    advice,
    applicator,
    dose,
    dvh,
    listener,
    registration,
    screen,
    transport,
    volume,
)

PARTS = {
    "advice": advice.main,
    "applicator": applicator.main,
    "dose": dose.main,
    "dvh": dvh.main,
    "listener": listener.main,
    "screen": screen.main,
    "transport": transport.main,
    "volume": volume.main,
}
# Minutes, not seconds.
LONG_PARTS = {"registration": registration.main}


def main() -> int:
    wanted = sys.argv[1:] or list(PARTS)
    for name in wanted:
        if name not in PARTS | LONG_PARTS:
            print(f"benchmarks: {name} is none of {', '.join(PARTS | LONG_PARTS)}", file=sys.stderr)
            return 2
    print(f"Python {platform.python_version()} on {platform.machine()}")
    for name in wanted:
        (PARTS | LONG_PARTS)[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())

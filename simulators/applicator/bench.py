"""An applicator worked from a keyboard: one command a line, one JSON answer a line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from simulators.applicator.station import ApplicatorStation

HELP = (
    "needle N | off | retract MM | cartridge SERIAL SEEDS | remove | stroke | misfire | double | "
    "power-cut | unplug | replug | status | quit"
)


def work(link: Path, seed: int, memory: Path | None, commands: TextIO) -> int:
    """Obey commands until ``quit`` or the end of the input; return 0.

    A command that is wrong or cannot be done answers with an ``error`` and changes nothing.

    Args:
        link: name that the serial line gets.
        seed: the serial number comes from it.
        memory: file of the non-volatile memory; None keeps it in RAM.
        commands: where they come from.
    """
    with ApplicatorStation(link, seed=seed, memory=memory) as station:
        _say({"serial_number": station.serial_number, "link": str(link), "commands": HELP})
        for line in commands:
            words = line.split()
            if words == ["quit"]:
                break
            if words:
                _say(_obeyed(station, words))
    return 0


def _obeyed(station: ApplicatorStation, words: list[str]) -> dict[str, Any]:
    verbs: dict[str, Callable[..., object]] = {
        "needle": lambda n: station.attach_needle(int(n)),
        "off": station.detach_needle,
        "retract": lambda mm: station.retract(float(mm)),
        "cartridge": lambda serial, seeds: station.insert_cartridge(serial, int(seeds)),
        "remove": station.remove_cartridge,
        "stroke": lambda: station.stroke().value,
        "misfire": station.misfire_next,
        "double": station.double_next,
        "power-cut": station.power_cut,
        "unplug": station.unplug,
        "replug": station.replug,
        "status": lambda: None,
    }
    verb, *arguments = words
    if verb not in verbs:
        return {"error": f"{verb} is no command; there are: {HELP}"}
    try:
        result = verbs[verb](*arguments)
    except (TypeError, ValueError) as error:
        return {"error": f"{' '.join(words)}: {error}"}
    return {
        "done": " ".join(words),
        "result": result,
        "armed": station.armed,
        "permitted_left": station.permitted_left,
        "remaining": station.remaining,
        "head_eid": station.head_eid,
        "acked_eid": station.acked_eid,
    }


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)

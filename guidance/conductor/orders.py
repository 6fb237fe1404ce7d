"""What the console and its worker say to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guidance.conductor.modelling import Modelled
    from guidance.conductor.shared import Laid
    from guidance.configuration import CtSettings, ModelledSettings, SourceSettings
    from guidance.exchange import StructureSet
    from guidance.procedure.jobs import Job, ModelDose
    from guidance.procedure.state import CaseState


@dataclass(frozen=True)
class Settings:
    """What holds for the life of a worker; the first thing it is told.

    Attributes:
        sources: which seed models the site may use.
        modelled: how well the model-based dose is wanted.
        ct: HU to density, for it.
    """

    sources: SourceSettings
    modelled: ModelledSettings
    ct: CtSettings


@dataclass(frozen=True)
class Order:
    """Do one piece of work for a state, with these volumes.

    ``dose`` is the model-based dose of the implant, for work that goes by it.
    """

    job: Job | ModelDose
    state: CaseState
    volumes: tuple[Laid, ...]
    dose: Modelled | None = None


@dataclass(frozen=True)
class Drop:
    """Leave the work under way, if it can be left."""


@dataclass(frozen=True)
class Begun:
    """The order has arrived and is done now."""


@dataclass(frozen=True)
class Told:
    """Something on the way to a result."""

    what: Any


@dataclass(frozen=True)
class Found:
    """The end of an order.

    Attributes:
        result: what came of it.
        structures: structure sets that were read on the way, by path.
    """

    result: Any
    structures: dict[str, StructureSet] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """The end of an order that came upon a defect."""

    reason: str

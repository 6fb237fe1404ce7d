"""Where the target is cold and which seeds would mend it."""

from guidance.advice.advise import advise
from guidance.advice.ground import Reach, Situation, Source
from guidance.advice.medium import MediumFactor, medium_factor, ratio
from guidance.advice.proposal import (
    ENGINES,
    MODELLED,
    TG43,
    Advice,
    ColdRegion,
    Figures,
    ModelledUse,
    Supplement,
)

__all__ = [
    "ENGINES",
    "MODELLED",
    "TG43",
    "Advice",
    "ColdRegion",
    "Figures",
    "MediumFactor",
    "ModelledUse",
    "Reach",
    "Situation",
    "Source",
    "Supplement",
    "advise",
    "medium_factor",
    "ratio",
]

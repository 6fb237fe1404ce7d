"""Where the target is cold and which seeds would mend it."""

from guidance.advice.advise import advise
from guidance.advice.ground import Reach, Situation, Source
from guidance.advice.medium import MediumFactor, medium_factor
from guidance.advice.proposal import Advice, ColdRegion, Figures, Supplement

__all__ = [
    "Advice",
    "ColdRegion",
    "Figures",
    "MediumFactor",
    "Reach",
    "Situation",
    "Source",
    "Supplement",
    "advise",
    "medium_factor",
]

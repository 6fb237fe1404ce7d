"""Where the target is cold and which seeds would mend it."""

from guidance.advice.advise import advise
from guidance.advice.ground import Reach, Situation, Source
from guidance.advice.proposal import Advice, ColdRegion, Figures, Supplement

__all__ = [
    "Advice",
    "ColdRegion",
    "Figures",
    "Reach",
    "Situation",
    "Source",
    "Supplement",
    "advise",
]

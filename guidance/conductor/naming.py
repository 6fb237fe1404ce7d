"""How a model-based dose names itself; here, so that its name costs no transport code."""

from __future__ import annotations

from guidance.advice import MODELLED

RESEARCH = MODELLED


def modelled_description(name: str, model: str, *, how: str = "Monte Carlo") -> str:
    """Return how an RTDOSE names itself, in the 64 characters that DICOM leaves.

    Args:
        name: ``medium`` or ``water``, to which the dose is.
        model: of the seeds.
        how: the dose was made.
    """
    return f"{how} ({RESEARCH}), dose to {name}, {model}"

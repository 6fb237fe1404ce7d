"""Errors of the dose library.

    DoseError
    |-- GeometryError      a grid that cannot exist
    |-- SourceError        source data missing, malformed or not commissioned
    |-- SeedError          a seed that cannot be dosed (strength, position, axis)
    `-- StructureError     contours or masks that enclose no volume

All are refusals: the caller asked for something that has no right answer. Nothing already
computed is changed when one is raised.
"""


class DoseError(Exception):
    """Root of the errors of the dose library."""


class GeometryError(DoseError):
    """The grid cannot exist."""


class SourceError(DoseError):
    """Source data is missing, malformed or not commissioned."""


class SeedError(DoseError):
    """The seed cannot be dosed."""


class StructureError(DoseError):
    """The contours or the mask enclose no volume."""

"""The virtual planning system: needles, seeds, outlines, and the DICOM objects of the plan."""

from simulators.planner.needles import Needle, plan_needles
from simulators.planner.outlines import outlines
from simulators.planner.rtplan import Directive, implant_plan
from simulators.planner.rtstruct import structure_set

__all__ = ["Directive", "Needle", "implant_plan", "outlines", "plan_needles", "structure_set"]

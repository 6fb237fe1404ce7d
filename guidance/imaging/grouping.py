"""Which images belong together: series, copies, reconstructions, bursts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from guidance.errors import ImportRefused
from guidance.imaging.files import Aside, Image
from guidance.imaging.stack import EVEN_MM, SAME_MM

T = TypeVar("T")
Images = tuple[Image, ...]


def check_one_series(images: Sequence[Image], asides: Sequence[Aside]) -> None:
    """Refuse images of no series, of several series, or of several patients.

    Raises:
        ImportRefused: names them.
    """
    if not images:
        kinds = _by(asides, lambda a: a.what)
        what = ", ".join(f"{len(group)} x {kind}" for kind, group in kinds.items())
        raise ImportRefused(f"there is no CT slice here, only {what or 'nothing'}")
    series = _by(images, lambda i: i.frame.identity.series_instance_uid)
    if len(series) > 1:
        named = "; ".join(
            f"{uid or '(blank UID)'} ({group[0].frame.identity.series_description or 'no name'}, "
            f"{len(group)} images)"
            for uid, group in series.items()
        )
        raise ImportRefused(f"{len(series)} series lie together, give one of them: {named}")
    patients = {i.frame.identity.patient_id for i in images}
    if len(patients) > 1:
        named = ", ".join(sorted(p or "(blank)" for p in patients))
        raise ImportRefused(f"images of one series name {len(patients)} patients: {named}")


def frame_of_reference(images: Sequence[Image]) -> tuple[str, tuple[str, ...]]:
    """Return the frame of reference of a series, and what must be said about it.

    Some anonymisers write another UID into every slice; that says nothing, and is taken as
    none. Two or three different ones mean that the patient was moved between.

    Raises:
        ImportRefused: slices of several frames of reference are mixed.
    """
    uids = [i.frame.identity.frame_of_reference_uid for i in images]
    different = sorted(set(uids))
    if different == [""]:
        return "", ("The series names no frame of reference.",)
    if len(different) == 1:
        return different[0], ()
    if len(different) > max(2, len(uids) // 2):
        return "", (
            f"Every slice names another frame of reference ({len(different)} in {len(uids)}), "
            "which says nothing: it is taken as unknown.",
        )
    named = ", ".join(uid or "(blank)" for uid in different)
    raise ImportRefused(
        f"slices of {len(different)} frames of reference are mixed in one series ({named}): "
        "the patient was positioned anew between them"
    )


def without_copies(images: Sequence[Image]) -> tuple[Images, int]:
    """Drop images that came twice; return the others and how many were dropped.

    Raises:
        ImportRefused: one SOP Instance UID names two different images.
    """
    kept: list[Image] = []
    by_uid: dict[tuple[str, int], Image] = {}
    by_place: dict[tuple[Hashable, ...], list[Image]] = defaultdict(list)
    positions = np.rint(np.array([i.frame.position_mm for i in images]) / SAME_MM).astype(int)
    for image, position in zip(images, positions.tolist(), strict=True):
        uid = image.frame.identity.sop_instance_uid
        first = by_uid.get((uid, image.frame.index)) if uid else None
        if first is not None and not _same(first, image):
            raise ImportRefused(
                f"{first.frame.file} and {image.frame.file} are different images with one "
                f"SOP Instance UID ({uid})"
            )
        place = (
            tuple(position),
            image.frame.acquisition,
            image.frame.acquired_at,
            _look(image),
        )
        if first is not None or any(_same(other, image) for other in by_place[place]):
            continue
        by_uid[uid, image.frame.index] = image
        by_place[place].append(image)
        kept.append(image)
    return tuple(kept), len(images) - len(kept)


def reconstructions(images: Sequence[Image]) -> tuple[Images, ...]:
    """Part a series into its reconstructions, the best for finding seeds first.

    Images of other kernel, thickness or type are one stack where they lie beside one another
    (a sequential scan that changes thickness) or alternate evenly, and several reconstructions
    where they cover the same anatomy. First comes the thinnest of those that cover at least
    nine tenths of the longest.
    """
    stacks: list[Images] = []
    planes = dict(zip(map(id, images), _planes(images), strict=True))
    for plane in _by(images, lambda i: planes[id(i)]).values():
        parts = list(_by(plane, _look).values())
        stacks.extend(parts if len(parts) > 1 and not _continuous(parts) else [tuple(plane)])
    longest = max(_extent(s)[1] - _extent(s)[0] for s in stacks)

    def rank(stack: Images) -> tuple[bool, float, int, str]:
        low, high = _extent(stack)
        thickness = stack[0].frame.thickness_mm or np.inf
        return (high - low < 0.9 * longest, thickness, -len(stack), describe(stack))

    return tuple(sorted(stacks, key=rank))


def describe(stack: Images) -> str:
    """Name a reconstruction by what sets it apart."""
    frame = stack[0].frame
    thickness = f"{frame.thickness_mm:g} mm" if frame.thickness_mm else "thickness unknown"
    kernel = frame.kernel or "kernel unknown"
    kind = "/".join(frame.image_type) or "type unknown"
    rows, columns = frame.shape
    return (
        f"{len(stack)} image(s) {columns} x {rows} of {frame.spacing_mm[0]:.3f} mm, "
        f"{thickness}, {kernel}, {kind}"
    )


def bursts(stack: Images) -> tuple[Images, ...]:
    """Part a stack into the times the same place was imaged, in order of time.

    Raises:
        ImportRefused: different images at one place that nothing tells apart.
    """
    if not _repeats(stack):
        return (stack,)
    by_acquisition = tuple(_by(stack, lambda i: i.frame.acquisition).values())
    if len(by_acquisition) > 1 and not any(_repeats(b) for b in by_acquisition):
        return tuple(sorted(by_acquisition, key=_when))
    by_time = tuple(_by(stack, lambda i: i.frame.acquired_at).values())
    if len(by_time) > 1:
        return tuple(_split_in_time(stack))
    one, other = _pair_at_one_place(stack)
    raise ImportRefused(
        f"{one.frame.file} and {other.frame.file} are different images at one position, and "
        "nothing tells which belongs to the volume"
    )


def _split_in_time(stack: Images) -> list[Images]:
    """Begin a new burst wherever a place comes again."""
    found: list[list[Image]] = []
    seen: set[int] = set()
    for image in sorted(stack, key=lambda i: _when((i,))):
        place = round(_place(image) / SAME_MM)
        if not found or seen & {place - 1, place, place + 1}:
            found.append([])
            seen = set()
        found[-1].append(image)
        seen.add(place)
    return [tuple(b) for b in found]


def _when(stack: Images) -> tuple[float, int]:
    first = min(
        (i.frame.acquired_at.timestamp() if i.frame.acquired_at else np.inf for i in stack),
        default=np.inf,
    )
    return first, min(i.frame.instance for i in stack)


def _repeats(stack: Sequence[Image]) -> bool:
    places = np.sort(_places(stack))
    return bool((np.diff(places) <= SAME_MM).any())


def _pair_at_one_place(stack: Images) -> tuple[Image, Image]:
    ordered = sorted(stack, key=_place)
    gaps = np.diff(_places(ordered))
    where = int(np.argmin(gaps))
    return ordered[where], ordered[where + 1]


def _place(image: Image) -> float:
    return float(image.frame.position_mm @ image.frame.normal)


def _extent(stack: Sequence[Image]) -> tuple[float, float]:
    places = _places(stack)
    return float(places.min()), float(places.max())


def _continuous(parts: list[Images]) -> bool:
    """Tell whether images that look different still make one stack."""
    together = [i for part in parts for i in part]
    places = np.sort(_places(together))
    gaps = np.diff(places)
    if gaps.min() <= SAME_MM:
        return False
    even = np.linspace(places[0], places[-1], len(places))
    if np.abs(places - even).max() <= min(EVEN_MM, gaps.mean() / 4):
        return True
    extents = sorted(_extent(part) for part in parts)
    return all(a[1] < b[0] for a, b in pairwise(extents))


def _places(images: Sequence[Image]) -> NDArray[np.float64]:
    """Return (n,) places along each image's normal, all at once: the room waits for it."""
    positions = np.array([i.frame.position_mm for i in images])
    return np.asarray((positions * [i.frame.normal for i in images]).sum(axis=1))


def _planes(images: Sequence[Image]) -> list[Hashable]:
    """Return of each image what planes of one stack have in common."""
    directions = np.array([(*i.frame.row, *i.frame.column) for i in images])
    spacings = np.round([i.frame.spacing_mm for i in images], 4).tolist()
    return [
        (tuple(direction), image.frame.shape, tuple(spacing))
        for direction, image, spacing in zip(
            np.rint(directions * 1000).astype(int).tolist(), images, spacings, strict=True
        )
    ]


def _look(image: Image) -> Hashable:
    frame = image.frame
    return frame.kernel, frame.thickness_mm, frame.image_type, frame.diameter_mm


def _same(one: Image, other: Image) -> bool:
    return np.array_equal(one.frame.position_mm, other.frame.position_mm) and np.array_equal(
        one.plane.hu, other.plane.hu
    )


def _by(items: Sequence[T], key: Callable[[T], Hashable]) -> dict[Hashable, tuple[T, ...]]:
    groups: dict[Hashable, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return {k: tuple(g) for k, g in groups.items()}

"""Pictures of detections, and what is said of seeds that are not seen again."""

from pathlib import Path

import numpy as np
from PIL import Image

from dose.geometry import GridGeometry
from guidance.detection import DetectedSeed, Detections, detect
from guidance.detection.overlay import write_overlays
from guidance.imaging.volume import Volume


def tissue(slices: int) -> Volume:
    shape = (slices, 60, 60)
    hu = np.random.default_rng(1).normal(40.0, 15.0, shape).astype(np.int16)
    return Volume(GridGeometry(shape, np.diag((0.7, 0.7, 3.0, 1.0))), hu)


def test_each_detection_has_a_picture_with_its_mark_in_the_middle(tmp_path: Path) -> None:
    found = Detections((DetectedSeed((20.0, 20.0, 30.0), (0.0, 1.0, 0.0), 0.9),))
    assert write_overlays(tissue(20), found, tmp_path) == 1
    with Image.open(tmp_path / "seed-001.png") as picture:
        pixels = np.asarray(picture).astype(int)
    middle = pixels[80:144, 80:144]
    assert (middle[..., 0] - middle[..., 1] > 80).any()


def test_three_slices_without_metal_give_nothing_and_no_error() -> None:
    found = detect(tissue(3))
    assert (found.seeds, found.needles, found.remarks) == ((), (), ())


def test_a_seed_seen_before_and_not_again_is_named_with_its_place() -> None:
    before = DetectedSeed((20.0, 21.0, 30.0), None, 0.9)
    found = detect(tissue(20), prior_seeds=[before])
    assert found.seeds == ()
    assert any("(20, 21, 30) mm" in r for r in found.remarks)

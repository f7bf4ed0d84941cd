"""Photos of a set, matched by learned features."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recon_worker.progress import Progress
from recon_worker.stages.learned_matching.matching import PhotoFile, count_shared, match_pairs, see_photos
from recon_worker.tools.partners import choose_partners
from tests.support.photo_sets import rendered_photos


def test_neighbours_of_a_ring_share_most() -> None:
    photos = [PhotoFile(path.name, path) for path in rendered_photos()[:4]]
    seen = see_photos(photos, Progress.silent())
    shared = count_shared(seen, Progress.silent())
    assert set(choose_partners(shared.numpy(), range(1))) <= {(0, 1), (1, 2), (2, 3)}
    learned = match_pairs(seen, choose_partners(shared.numpy(), range(3)), Progress.silent())
    assert list(learned.places) == [photo.name for photo in photos]
    next_to, farther = ({(photos[i].name, photos[i + step].name) for i in range(4 - step)} for step in (1, 3))
    assert next_to <= learned.matches.keys()
    assert min(len(learned.matches[pair]) for pair in next_to) > max(
        (len(learned.matches.get(pair, ())) for pair in farther), default=0
    )
    for (one, other), matches in learned.matches.items():
        assert matches.max(axis=0).tolist() < [len(learned.places[one]), len(learned.places[other])]


def test_nothing_is_found_where_a_mask_hides_the_photo(tmp_path: Path) -> None:
    shown = np.zeros((480, 640), np.uint8)
    shown[:, 320:] = 255
    Image.fromarray(shown).save(tmp_path / "mask.png")
    path = rendered_photos()[0]
    (photo,) = see_photos([PhotoFile("a", path, tmp_path / "mask.png")], Progress.silent())
    places = photo.places()
    assert len(places) > 50
    assert places[:, 0].min() > 319


@pytest.mark.parametrize(("size", "longer_px"), [((1500, 1000), 1500), ((333, 217), 333)])
def test_places_are_in_pixels_of_the_photo(tmp_path: Path, size: tuple[int, int], longer_px: int) -> None:
    with Image.open(rendered_photos()[0]) as photo:
        photo.convert("RGB").resize(size).save(tmp_path / "a.png")
    (seen,) = see_photos([PhotoFile("a", tmp_path / "a.png")], Progress.silent())
    places = seen.places()
    assert 0.5 * longer_px < places[:, 0].max() <= longer_px

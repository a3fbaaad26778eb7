"""What the close-up network must not look at, and what it must: without training, on pictures of noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from cv_pipeline.patterns.closeup.network import LOG_SD, Answers, CloseUpNet
from cv_pipeline.patterns.closeup.pictures import CHANNELS, SIDE
from cv_pipeline.types import UInt8Array
from tests.patterns.closeup.factories import AFTER, BEFORE, MAPS, SEEN, lively_net, random_pictures

TWO = {"centre_m", "axis", "twin_m"}


@pytest.fixture(scope="module")
def net() -> CloseUpNet:
    return lively_net()


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


def told(net: CloseUpNet, near: UInt8Array, wide: UInt8Array) -> Tensor:
    """All answers of n candidates side by side, (n, answers)."""
    answers = net(torch.from_numpy(near.copy()), torch.from_numpy(wide.copy()))
    return torch.cat([value.reshape(len(near), -1) for value in answers], dim=1)


def test_answers_have_the_shapes_that_are_promised(net: CloseUpNet) -> None:
    for count in (0, 1, 3):
        answers = net(*(torch.from_numpy(p) for p in random_pictures(count)))
        assert isinstance(answers, Answers)
        for name, value in answers._asdict().items():
            assert value.shape == ((count, 2) if name in TWO else (count,)), name
            assert value.dtype == torch.float32


def test_each_candidate_is_answered_for_itself(net: CloseUpNet) -> None:
    near, wide = random_pictures(5)
    together = told(net, near, wide)
    for i in range(5):
        torch.testing.assert_close(told(net, near[i : i + 1], wide[i : i + 1])[0], together[i], atol=1e-4, rtol=1e-4)
    assert together.std(dim=0).max() > 0.05  # noise as it is, it is not all the same


@pytest.mark.parametrize(("colours", "seen"), [(BEFORE, 10), (AFTER, 9)])
def test_what_is_not_seen_is_not_looked_at(net: CloseUpNet, colours: slice, seen: int) -> None:
    """Black where nothing is seen, as pictures are, is no dark ground: it does not count for the ground's level."""
    near, wide = random_pictures(2)
    for picture in (near, wide):
        picture[:, seen, :30] = 0
        picture[:, colours, :30] = 0
    first = told(net, near, wide)
    brighter = near.copy(), wide.copy()
    for picture in brighter:
        picture[:, colours, 30:] += 50
    torch.testing.assert_close(told(net, *brighter), first, atol=1e-4, rtol=1e-3)
    near[:, colours, :30] = np.random.default_rng(9).integers(0, 255, (2, 3, 30, SIDE))
    torch.testing.assert_close(told(net, near, wide), first)
    near[:, colours, 30:] = 255 - near[:, colours, 30:]
    assert (told(net, near, wide) - first).abs().max() > 1e-2  # but what is seen counts


def test_a_before_image_seen_nowhere_is_none(net: CloseUpNet) -> None:
    near, wide = random_pictures(2)
    with_colours, without = (near.copy(), wide.copy()), (near, wide)
    for picture in (*with_colours, *without):
        picture[:, 10] = 0
    for picture in without:
        picture[:, BEFORE] = 0
    torch.testing.assert_close(told(net, *with_colours), told(net, *without))


@pytest.mark.parametrize("date", [AFTER, BEFORE])
def test_brightness_of_a_date_does_not_matter(net: CloseUpNet, date: slice) -> None:
    """An offset not at all, a factor next to nothing: low contrast is told apart from none, which costs exactness."""
    near, wide = random_pictures(3)
    first = told(net, near, wide)
    spread = first.std(dim=0).max()
    brighter = near.copy(), wide.copy()
    for picture in brighter:
        picture[:, date] += 50
    torch.testing.assert_close(told(net, *brighter), first, atol=1e-4, rtol=1e-3)
    steeper = near.astype(np.float32), wide.astype(np.float32)
    for picture in steeper:
        picture[:, date] *= 1.25
    change = (told(net, *steeper) - first).abs().max()
    assert change < 0.1 * spread
    uneven = near.astype(np.float32), wide.astype(np.float32)
    for picture in uneven:
        picture[:, date, :, : SIDE // 2] *= 1.25
    assert (told(net, *uneven) - first).abs().max() > 3 * change


@pytest.mark.parametrize("channel", [0, 5, 6, 8, 9, 10])
@pytest.mark.parametrize("which", [0, 1])
def test_every_channel_of_both_pictures_counts(net: CloseUpNet, which: int, channel: int) -> None:
    pictures = random_pictures(1)
    first = told(net, *pictures)
    pictures[which][:, channel, 20:40, 20:40] = 0
    assert (told(net, *pictures) - first).abs().max() > 1e-3


def test_nothing_at_all_has_an_answer(net: CloseUpNet) -> None:
    """Pictures without imagery, of one colour and of the greatest contrast: all finite, SDs within bounds."""
    empty = np.zeros((1, CHANNELS, SIDE, SIDE), np.uint8)
    plain, torn = np.full_like(empty, 255), random_pictures(1)[0]
    torn[:, AFTER] = np.where(torn[:, AFTER] > 120, 255, 0)
    torn[:, MAPS] = 255
    torn[:, SEEN] = 255
    with torch.inference_mode():
        large = lively_net(1)
        large.join[-1].weight.mul_(1000)  # type: ignore[union-attr,operator]
        for of in (net, large):
            for picture in (empty, plain, torn):
                assert torch.isfinite(told(of, picture, picture)).all()
                answers = of(torch.from_numpy(picture), torch.from_numpy(picture))
                for value in (answers.centre_log_sd, answers.radius_log_sd, answers.blast_log_sd):
                    assert (value >= LOG_SD[0]).all()
                    assert (value <= LOG_SD[1]).all()

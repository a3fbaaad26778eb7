"""What the inputs of a run are, whether they will do, and what to change: before an hour is spent on them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rasterio.errors import RasterioError

from cv_pipeline.config import AssessConfig
from cv_pipeline.errors import CvPipelineError, ImageError
from cv_pipeline.imagery.describe import ImageFacts, describe, image_lines
from cv_pipeline.imagery.grid import overlap_share
from cv_pipeline.imagery.pair import check_both_placed, join, open_after, open_before
from cv_pipeline.types import Gate, ImageSource, Registration, ScenePair

if TYPE_CHECKING:
    from cv_pipeline.segmentation.zoo import ModelFile

_LARGE_PX = 8192
_HEAVY_BLOCK_MIB = 64.0
_FEW_BITS = 6
_SOFT_PX = 1.3
_CLOUDY_SHARE = 0.2
_LITTLE_SHOWN = 0.1
_SMALL_OVERLAP = 0.5
_GSD_RATIO = 2.0


@dataclass(frozen=True, slots=True)
class PairFacts:
    """How two images lie upon each other; ``before_covers`` is the share of the after image within the before image.

    ``gsd_ratio`` is the before image's pixel size over the after image's.
    """

    before_covers: float
    gsd_ratio: float
    registration: Registration | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found. ``problems`` stand in the way of a run; ``advice`` is what would make it better."""

    after: ImageFacts | None
    before: ImageFacts | None
    pair: PairFacts | None
    problems: tuple[str, ...]
    advice: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether a run with these inputs can give a result to be trusted."""
        return not self.problems


def diagnose(after: str | Path, before: str | Path | None = None, config: AssessConfig | None = None) -> Diagnosis:
    """Open one or two images and judge them. An input that cannot be used is a problem, not an error.

    Args:
        after: the image after the event, or the only one.
        before: the image before the event.
        config: GSD, bands and model, as for ``assess``.

    Raises:
        ModelError: the model cannot be found.
    """
    from cv_pipeline.segmentation.zoo import find_model, read_model_file

    config = config or AssessConfig()
    folder = find_model(config.model)
    model = read_model_file(folder)
    problems: list[str] = []
    advice: list[str] = []
    late = early = None
    facts: dict[str, ImageFacts | None] = {"after": None, "before": None}
    try:
        if before is not None:
            check_both_placed(before, after)
        late = open_after(after, config)
        facts["after"] = _examine(late, folder, model, problems, advice)
        if before is not None:
            early = open_before(before, config, late)
            facts["before"] = _examine(early, folder, model, problems, advice)
    except CvPipelineError as error:
        problems.append(str(error))
    pair = None if late is None or early is None else _examine_pair(early, late, model, problems, advice)
    return Diagnosis(facts["after"], facts["before"], pair, tuple(problems), tuple(advice))


def _examine(source: ImageSource, folder: Path, model: ModelFile, problems: list[str], advice: list[str]) -> ImageFacts:
    from cv_pipeline.segmentation.predict import check_gsd

    try:
        facts = describe(source)
    except RasterioError as error:
        raise ImageError(f"{source.path}: the file is damaged ({error}); fetch it again") from error
    try:
        check_gsd(source, model.info())
    except CvPipelineError as error:
        problems.append(str(error))
    else:
        advice += _domain_advice(source, folder, model.name)
    shown = 1 - sum(facts.masked)
    if shown <= _LITTLE_SHOWN:
        problems.append(f"{source.path} shows ground on only {max(shown, 0):.0%} of its area; give another image.")
    advice += [*facts.notes, *_advice(source.path, facts)]
    return facts


def _advice(path: Path, facts: ImageFacts) -> list[str]:
    """What would make an image better or faster to read, each with the way to do it."""
    found = []
    bits, soft = facts.effective_bits, facts.sharpness.effective_px
    if bits is not None and 0 < bits <= _FEW_BITS:
        found.append(f"{path} uses only {bits} bits; give the original rather than a stretched or reduced copy.")
    if soft is not None and soft >= _SOFT_PX:
        found.append(
            f"{path} holds no detail finer than about {soft * facts.gsd_m:.2g} m, so small craters cannot be seen in "
            f"it whatever its pixel size of {facts.gsd_m:.2g} m says; give the original if this is an enlarged copy."
        )
    if facts.masked.cloud >= _CLOUDY_SHARE:
        found.append(f"{path} is {facts.masked.cloud:.0%} cloud; look for another date.")
    if max(facts.width, facts.height) > _LARGE_PX and not facts.overviews:
        found.append(f"{path} is large and has no overviews; gdaladdo -r average {path} makes it faster.")
    if facts.block_mib > _HEAVY_BLOCK_MIB:
        found.append(
            f"{path} can only be decoded in pieces of {facts.block_mib:.0f} MiB; "
            f"gdal_translate -of COG {path} OUT.tif makes it readable by window."
        )
    if facts.crs is None:
        found.append(
            f"{path} has no place on earth, so results come without longitude and latitude; gdal_translate -a_srs and "
            "-a_ullr add one."
        )
    return found


def _domain_advice(source: ImageSource, folder: Path, model: str) -> list[str]:
    """Where the image looks unlike what the model was trained on."""
    from cv_pipeline.segmentation.domain import read_domain, sample_windows
    from cv_pipeline.segmentation.domain_words import domain_notice

    domain = read_domain(folder)
    if domain is None:
        return []
    notice = domain_notice(f"image {source.path}", sample_windows(source, domain.working_gsd_m), domain, model)
    return [] if notice is None else [notice]


def _examine_pair(
    before: ImageSource, after: ImageSource, model: ModelFile, problems: list[str], advice: list[str]
) -> PairFacts | None:
    from cv_pipeline.registration.register import register

    if before.sha256 and (before.sha256, before.parts_sha256) == (after.sha256, after.parts_sha256):
        problems.append(
            f"{before.path} and {after.path} are one and the same image, so nothing can be new; give another."
        )
    try:
        pair: ScenePair = join(before, after)
        registration = register(pair, max(model.working_gsd_m, after.grid.gsd_m)).registration
    except CvPipelineError as error:
        problems.append(str(error))
        return None
    facts = PairFacts(overlap_share(after.grid, before.grid), before.grid.gsd_m / after.grid.gsd_m, registration)
    if facts.before_covers < _SMALL_OVERLAP:
        advice.append(
            f"{before.path} reaches over only {facts.before_covers:.0%} of {after.path}; craters elsewhere cannot be "
            "called new or old. Give a before image of the whole scene, or cut the after image: gdalwarp -te."
        )
    if not 1 / _GSD_RATIO <= facts.gsd_ratio <= _GSD_RATIO:
        advice.append(
            f"The pixels of {before.path} are {facts.gsd_ratio:.2g} times as large as those of {after.path}; "
            "what the coarser image cannot show will be taken for new."
        )
    if registration is not None and registration.gate is Gate.FAIL:
        problems.append(
            f"{before.path} cannot be brought onto {after.path}: {registration.reason} Check that they show the same "
            "place; without it, cv-pipeline detect uses the after image alone."
        )
    elif registration is not None and registration.gate is Gate.WARN:
        advice.append(f"Registration: {registration.reason}")
    return facts


def document(diagnosis: Diagnosis) -> dict[str, Any]:
    """A diagnosis as plain values for JSON; NaN becomes None, a registration its summary."""
    from cv_pipeline.report.words import registration_sentence

    pair = diagnosis.pair
    found: dict[str, Any] = {
        "usable": diagnosis.usable,
        "problems": list(diagnosis.problems),
        "advice": list(diagnosis.advice),
        "after": _plain(diagnosis.after),
        "before": _plain(diagnosis.before),
        "pair": None,
    }
    if pair is not None:
        r = pair.registration
        found["pair"] = {
            "before_covers": pair.before_covers,
            "gsd_ratio": pair.gsd_ratio,
            "registration": None
            if r is None
            else {"gate": r.gate.value, "shift_px": r.shift_px, "sd_m": r.sd_m, "statement": registration_sentence(r)},
        }
    return found


def _plain(facts: ImageFacts | None) -> dict[str, Any] | None:
    if facts is None:
        return None
    return asdict(facts) | {"masked": facts.masked._asdict(), "sharpness": facts.sharpness._asdict()}


def lines(diagnosis: Diagnosis) -> list[str]:
    """A diagnosis in words."""
    from cv_pipeline.report.words import registration_sentence

    found = []
    for kind, facts in (("after", diagnosis.after), ("before", diagnosis.before)):
        if facts is not None:
            found += [f"{kind}:", *(f"  {line}" for line in image_lines(facts))]
    pair = diagnosis.pair
    if pair is not None:
        found += ["pair:", f"  the before image reaches over {pair.before_covers:.1%} of the after image"]
        found += [f"  {registration_sentence(pair.registration)}"]
    found += [f"problem: {text}" for text in diagnosis.problems]
    found += [f"advice: {text}" for text in dict.fromkeys(diagnosis.advice)]
    found.append("usable" if diagnosis.usable else "not usable")
    return found

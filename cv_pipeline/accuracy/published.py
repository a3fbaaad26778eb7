"""What a source printed beside what its distances give."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cv_pipeline.errors import PointsError
from cv_pipeline.types import AccuracySummary


@dataclass(frozen=True, slots=True)
class Published:
    """The statistics that a source printed; None where it gives none."""

    mean_m: float | None
    sd_m: float | None
    median_m: float | None


def read_published(points: Path) -> Published | None:
    """The block ``published`` of the ``dataset.yaml`` beside a points file; None without one.

    Raises:
        PointsError: the file cannot be read, or a figure in it is no number.
    """
    import yaml

    path = points.parent / "dataset.yaml"
    if not path.is_file():
        return None
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as cause:
        raise PointsError(f"{path}: cannot be read ({cause}). Correct it or move the points file elsewhere.") from cause
    block = content.get("published") if isinstance(content, dict) else None
    if not isinstance(block, dict):
        return None
    figures = {key: block.get(key) for key in ("mean_m", "sd_m", "median_m")}
    for key, value in figures.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise PointsError(f"{path}: published {key} is {value!r}, not a number. Correct it.")
    return Published(**figures)


def published_note(published: Published, summary: AccuracySummary) -> str:
    """One sentence: which figures agree to the digits printed, and which SD was used."""
    given = (("mean", published.mean_m, summary.mean_m), ("median", published.median_m, summary.median_m))
    parts = [
        f"{name} {printed:g} m, these distances give {ours:.2f} m"
        for name, printed, ours in given
        if printed is not None and ours is not None
    ]
    if published.sd_m is not None and summary.sd_population_m is not None and summary.sd_sample_m is not None:
        which = _which_sd(published.sd_m, summary.sd_population_m, summary.sd_sample_m)
        parts.append(
            f"SD {published.sd_m:g} m, which is {which} "
            f"(population, denominator n: {summary.sd_population_m:.2f} m; "
            f"sample, denominator n - 1: {summary.sd_sample_m:.2f} m)"
        )
    return f"The source prints: {'; '.join(parts)}."


def _which_sd(printed: float, population: float, sample: float) -> str:
    """The SD that rounds to the printed figure."""
    digits = len(f"{printed:.10g}".partition(".")[2])
    fits = [name for name, value in (("population", population), ("sample", sample)) if round(value, digits) == printed]
    return f"the {fits[0]} SD" if len(fits) == 1 else "either SD" if fits else "neither SD"

"""Every error that cv_pipeline raises on purpose, from one root.

A message names the file, says what is wrong and what to do next. The command line turns each of
these into exit code 2; anything else that escapes is a defect (exit code 1).
"""

from __future__ import annotations


class CvPipelineError(Exception):
    """Root of all errors that a user can mend."""


class ImageError(CvPipelineError):
    """An image cannot be opened or used: missing, not an image, wrong bands, no valid pixels."""


class GsdError(ImageError):
    """The ground sample distance is unknown, contradictory or outside the model's range."""


class PairError(CvPipelineError):
    """Two images do not make a pair: no overlap, or one has a CRS and the other has none."""


class StructuresError(CvPipelineError):
    """A structures file is missing, unreadable, empty or far from the image."""


class PointsError(CvPipelineError):
    """A points file is missing, unreadable, or lacks the columns or values that a measure needs."""


class LabelsError(CvPipelineError):
    """A labels file is missing, unreadable, empty, without a usable CRS, or lies outside its image."""


class MeasureError(CvPipelineError):
    """A place or a site that is to be measured cannot be read, or there is nothing to measure."""


class ModelError(CvPipelineError):
    """A model folder is missing, incomplete or does not match its weights."""


class OutputError(CvPipelineError):
    """An output folder is in use or cannot be written."""


class ReviewError(CvPipelineError):
    """A review's record is damaged, in use or of another result, or an edit makes no sense."""


class ConfigError(CvPipelineError):
    """A setting is out of range or two settings contradict each other."""


class ManifestError(CvPipelineError):
    """A manifest of pairs cannot be used; the message lists every problem found in it."""


class BatchError(CvPipelineError):
    """A batch cannot run: another one writes to its folder, or the scheduler cannot be reached."""

"""Report: writes an assessment as tables, layers, rasters, figures and one HTML file."""

from cv_pipeline.output_dir import check_output_dir, staged_output
from cv_pipeline.report.provenance import file_record
from cv_pipeline.report.writer import write_report

__all__ = ["check_output_dir", "file_record", "staged_output", "write_report"]

"""The command line: thin, no logic; each command parses, calls one function and says where the result is.

Exit codes: 0 done; 2 bad usage or input; 3 done but not to be trusted (registration failed); 1 a defect.
"""

from __future__ import annotations

import typer

from cv_pipeline.commands.accuracy import accuracy
from cv_pipeline.commands.assess import assess, detect
from cv_pipeline.commands.batch import batch
from cv_pipeline.commands.dataset import dataset
from cv_pipeline.commands.doctor import doctor
from cv_pipeline.commands.export import export
from cv_pipeline.commands.measure import measure
from cv_pipeline.commands.models import models
from cv_pipeline.commands.plan import plan
from cv_pipeline.commands.register import register
from cv_pipeline.commands.report import report
from cv_pipeline.commands.review import review
from cv_pipeline.commands.simulate import simulate
from cv_pipeline.commands.verify import verify

app = typer.Typer(
    name="cv-pipeline",
    help="Find craters and blast patterns in before/after imagery, match each to its nearest structure, "
    "and say how sure.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.command()(assess)
app.command()(detect)
app.command()(accuracy)
app.command()(simulate)
app.command()(measure)
app.add_typer(batch, name="batch")
app.add_typer(dataset, name="dataset")
app.command()(doctor)
app.command()(plan)
app.command()(register)
app.command()(review)
app.command()(models)
app.command()(export)
app.command()(report)
app.command()(verify)


def main() -> None:
    """Entry point of the ``cv-pipeline`` command."""
    app()

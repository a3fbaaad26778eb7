"""``cv-pipeline batch`` as a script: python scripts/batch_inference.py MANIFEST --out DIR."""

from cv_pipeline.commands.batch import batch

if __name__ == "__main__":
    batch()

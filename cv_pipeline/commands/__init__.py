"""The commands of ``cv-pipeline``, one module each; ``cli.py`` registers them."""

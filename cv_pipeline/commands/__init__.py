"""The commands of ``cv-pipeline`` that have a module of their own, one each; ``cli.py`` registers them."""

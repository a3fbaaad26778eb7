"""Writes ``domain.json`` of a model: what its training imagery looks like, so that a run can tell what does not."""

from __future__ import annotations

import argparse
from pathlib import Path

from cv_pipeline.segmentation.domain import save_domain
from cv_pipeline.training.config import read_train_config
from cv_pipeline.training.domain import HELD_OUT_SCENES, PAIRS, fit_domain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the model's train.yaml")
    parser.add_argument("--backgrounds", type=Path, required=True, help="folder with ucmerced/ and kampala/")
    parser.add_argument("--out", type=Path, required=True, help="the model folder")
    parser.add_argument("--pairs", type=int, default=PAIRS, help="simulated training pairs to measure")
    parser.add_argument("--scenes", type=int, default=HELD_OUT_SCENES, help="held-out scenes to count notices on")
    options = parser.parse_args()
    config = read_train_config(options.config)
    domain = fit_domain(config, options.backgrounds, pairs=options.pairs, held_out_scenes=options.scenes)
    save_domain(domain, options.out)
    for name, (low, high) in domain.limits.items():
        print(f"{name}: {'any' if low is None else f'{low:.3g}'} to {'any' if high is None else f'{high:.3g}'}")
    for found in domain.false_notices:
        low, high = found.share_interval_95
        print(f"{found.what}: {found.notices} of {found.images} get a notice (95 % interval {low:.1%} to {high:.1%})")


if __name__ == "__main__":
    main()

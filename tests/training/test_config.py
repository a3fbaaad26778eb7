from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cv_pipeline.errors import ConfigError
from cv_pipeline.training.config import read_train_config

SMALL = Path(__file__).parents[2] / "models" / "small" / "train.yaml"


def test_shipped_settings_are_valid() -> None:
    assert read_train_config(SMALL).name == "small"


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        read_train_config(tmp_path / "none.yaml")


@pytest.mark.parametrize("content", [b"", b"[1, 2", b"- a\n", b"a: b: c\n", b"\xff\xfe\x00"])
def test_malformed_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "train.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"train\.yaml"):
        read_train_config(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [("size_px", 100), ("size_px", 48), ("steps", 0), ("after_only_share", 1.5), ("learning_rate", -1), ("epochs", 3)],
)
def test_wrong_setting_is_named(tmp_path: Path, field: str, value: object) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(SMALL.read_text()) | {field: value}))
    with pytest.raises(ConfigError, match=rf"(?s)train\.yaml.*{field}"):
        read_train_config(path)

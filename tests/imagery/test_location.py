from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest
import rasterio
from rasterio.shutil import copy

from cv_pipeline.errors import ImageError
from cv_pipeline.imagery.location import gdal_name, is_plain
from cv_pipeline.imagery.source import open_source
from cv_pipeline.imagery.view import GridView
from cv_pipeline.types import Window


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("a/b.tif", "a/b.tif"),
        ("s3://bucket/key.tif", "/vsis3/bucket/key.tif"),
        ("gs://bucket/key.tif", "/vsigs/bucket/key.tif"),
        ("https://host/x.tif?a=b", "/vsicurl/https://host/x.tif?a=b"),
        ("/vsicurl/https://host/x.tif", "/vsicurl/https://host/x.tif"),
        ("/vsizip//vsicurl/https://host/x.zip/y.tif", "/vsizip//vsicurl/https://host/x.zip/y.tif"),
        ("/vsis3/bucket/key.tif", "/vsis3/bucket/key.tif"),
        ('NETCDF:"/tmp/a.nc":band', 'NETCDF:"/tmp/a.nc":band'),
    ],
)
def test_names_survive_a_path(given, name):
    assert gdal_name(given) == name
    assert gdal_name(Path(given)) == name
    assert is_plain(Path(given)) == (given == "a/b.tif")


def test_inside_an_archive(make_tiff, tmp_path):
    path = make_tiff()
    archive = tmp_path / "scene.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(path, "deep/image.tif")
    source = open_source(Path(f"/vsizip/{archive}/deep/image.tif"))
    assert source.sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()
    with GridView(source, source.grid) as view, rasterio.open(path) as file:
        assert (view.read(Window(0, 0, 96, 128))[0][..., 0] == file.read(1)).all()
    with pytest.raises(ImageError, match="cannot be read"):
        open_source(f"/vsizip/{archive}/none.tif")


def test_sources_of_a_vrt_are_hashed(make_tiff, tmp_path):
    path, vrt = make_tiff(), tmp_path / "all.vrt"
    copy(str(path), str(vrt), driver="VRT")
    source = open_source(vrt)
    assert source.sha256 == hashlib.sha256(vrt.read_bytes()).hexdigest()
    assert source.parts == 1
    line = hashlib.sha256(path.read_bytes()).hexdigest() + "\n"
    assert source.parts_sha256 == hashlib.sha256(line.encode()).hexdigest()
    assert open_source(path).parts == 0


def test_nowhere_to_be_found():
    with pytest.raises(ImageError, match="cannot be read"):
        open_source("/vsimem/none.tif")

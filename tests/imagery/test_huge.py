"""A scene of 50,000 px a side, made of one small file repeated: nothing may hold all of it."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
import rasterio

from cv_pipeline.imagery.radiometry import sample
from cv_pipeline.imagery.source import open_source
from tests.conftest import texture

TILE_PX = 2000


def repeated(tile: Path, out: Path, times: int) -> Path:
    bands = ""
    for number, colour in enumerate(("Red", "Green", "Blue"), start=1):
        places = "".join(
            f'<SimpleSource><SourceFilename relativeToVRT="1">{tile.name}</SourceFilename>'
            f'<SourceBand>{number}</SourceBand><SrcRect xOff="0" yOff="0" xSize="{TILE_PX}" ySize="{TILE_PX}"/>'
            f'<DstRect xOff="{col * TILE_PX}" yOff="{row * TILE_PX}" xSize="{TILE_PX}" ySize="{TILE_PX}"/>'
            "</SimpleSource>"
            for row in range(times)
            for col in range(times)
        )
        bands += f'<VRTRasterBand dataType="UInt16" band="{number}"><ColorInterp>{colour}</ColorInterp>{places}'
        bands += "</VRTRasterBand>"
    side = times * TILE_PX
    out.write_text(
        f'<VRTDataset rasterXSize="{side}" rasterYSize="{side}"><SRS>EPSG:32633</SRS>'
        f"<GeoTransform>500000,0.5,0,5300000,0,-0.5</GeoTransform>{bands}</VRTDataset>"
    )
    return out


@pytest.fixture
def huge(make_tiff, tmp_path) -> Path:
    tile = make_tiff(texture(TILE_PX, TILE_PX) * 8, dtype="uint16", tiled=True, name="tile.tif")
    return repeated(tile, tmp_path / "huge.vrt", 25)


def test_limits_of_a_huge_scene_come_from_a_million_pixels(huge):
    """Opening reads samples only, so it is as quick as for a small file."""
    source = open_source(huge)
    assert (source.grid.width, source.parts) == (50_000, 1)
    with rasterio.open(huge) as dataset:
        pixels = sample(dataset, (1, 2, 3))
    assert pixels.values.shape == (3, 2**20)
    assert source.scale_low[0] == pytest.approx(8 * 20, abs=8 * 25)


@pytest.mark.slow
def test_memory_at_50000_px(huge):
    script = (
        "import sys; from cv_pipeline.imagery.pair import open_pair; from cv_pipeline.imagery.view import overview;"
        "from cv_pipeline.config import AssessConfig; pair = open_pair(None, sys.argv[1], AssessConfig());"
        "print(pair.after.obscured.cells.shape)"
    )
    subprocess.run([sys.executable, "-c", script, str(huge)], check=True, timeout=1800)
    peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    assert peak_mib < 600

"""Every parameter of the simulation, typed, with its unit and its source.

Each section belongs to one element; setting an element's share to 0 leaves it out and changes nothing
else, because every element draws from a random stream of its own (:func:`stream`). Ablations rest on that.
"""

from __future__ import annotations

import zlib

import numpy as np
from pydantic import BaseModel, ConfigDict, Field


class _Section(BaseModel):
    """A frozen group of settings that refuses unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StrikeConfig(_Section):
    """How many strikes, how they are laid out, which families, how old.

    The shares of elements (``collar_share`` and on) turn the element off at 0 and leave it as measured at 1.
    """

    empty_share: float = Field(0.15, ge=0, le=1, description="share of scenes without any strike; judgement")
    density_per_ha: float = Field(
        2.6,
        gt=0,
        le=200,
        description="median strikes per hectare in a field, so that neighbours are 25 m apart (table)",
    )
    density_log_sd: float = Field(0.35, ge=0, le=2, description="log-SD of the density between and within fields")
    salvos_per_ha: float = Field(0.08, gt=0, le=20, description="salvos per hectare of scene, at least one; judgement")
    field_share: float = Field(0.6, ge=0, description="weight of fields of strikes among salvos; judgement")
    line_share: float = Field(0.15, ge=0, description="weight of lines among salvos; judgement")
    ellipse_share: float = Field(0.15, ge=0, description="weight of ellipses among salvos; judgement")
    single_share: float = Field(0.1, ge=0, description="weight of single strikes among salvos; judgement")
    near_building_share: float = Field(
        0.3, ge=0, le=1, description="share of salvos that lie about a building, where there are any; judgement"
    )
    by_eye_share: float = Field(
        0.2, ge=0, le=1, description="share of the families seen by eye (crater_appearance.md 3-10) beside the table's"
    )
    hard_share: float = Field(
        0.24, ge=0, le=1, description="share of looks that detectors miss, more than measured: for training; judgement"
    )
    family_balance: float = Field(
        0.0, ge=0, le=1, description="0 draws the families of a pool as measured, 1 all equally often: for training"
    )
    size_factor: float = Field(1.0, gt=0, le=10, description="scales all shell craters; 1 is as measured")
    size_log_sd: float = Field(
        0.14, ge=0, le=1, description="log-SD of size between salvos; with the individual 0.3 total"
    )
    contrast_factor: float = Field(1.0, ge=0, le=5, description="scales all contrasts; 1 is as measured")
    max_contrast_dn: float = Field(
        65.0, gt=0, le=255, description="8-bit DN: no core differs more (table); snow is exempt"
    )
    large_share: float = Field(0.1, ge=0, le=1, description="share of salvos that are bombs or missiles; judgement")
    large_charge_min_kg: float = Field(50.0, gt=0, description="kg TNT, lightest large charge")
    large_charge_max_kg: float = Field(1000.0, gt=0, description="kg TNT, heaviest: 27 m blast circle (scaling.py)")
    cone_share: float = Field(0.12, ge=0, le=1, description="share of strikes with a directional cone; judgement")
    cone_strength: tuple[float, float] = Field(
        (1.0, 1.0), description="factor on a cone's contrast, log-uniform; at 1 two in three go unseen"
    )
    secondary_share: float = Field(0.5, ge=0, le=1, description="share of large strikes with a secondary pattern")
    collar_share: float = Field(1.0, ge=0, le=1, description="share of planned collars of subsoil that are drawn")
    soot_share: float = Field(1.0, ge=0, le=1, description="share of planned soot halos that are drawn")
    rays_share: float = Field(1.0, ge=0, le=1, description="share of planned rays and spider streaks that are drawn")
    wings_share: float = Field(1.0, ge=0, le=1, description="share of planned wings and tails that are drawn")
    relief_share: float = Field(1.0, ge=0, le=1, description="share of strikes that have relief")
    overlap_share: float = Field(1.0, ge=0, le=1, description="share of strikes that may overlap another one")
    close_salvo_share: float = Field(
        0.25, ge=0, le=1, description="share of salvos with close pairs, 1.2 to 2.4 radii apart; judgement"
    )
    close_pair_share: float = Field(
        0.25, ge=0, le=1, description="share of strikes of such salvos that get a close neighbour; judgement"
    )
    ageing_share: float = Field(0.4, ge=0, le=1, description="share of salvos that have aged; judgement")
    filling_weight: float = Field(0.3, ge=0, description="weight of filling among ageing processes; judgement")
    weathering_weight: float = Field(0.35, ge=0, description="weight of weathering; judgement")
    water_weight: float = Field(0.1, ge=0, description="weight of water in the bowl; judgement")
    regrowth_weight: float = Field(0.15, ge=0, description="weight of regrowth; judgement")
    ploughing_weight: float = Field(0.1, ge=0, description="weight of ploughing over; judgement")
    old_share: float = Field(0.25, ge=0, le=1, description="share of salvos that lie in both images; judgement")
    gone_share: float = Field(0.05, ge=0, le=1, description="share of salvos that are repaired in between; judgement")


class GroundConfig(_Section):
    """Which grounds: real tiles and synthesised fields, steppe, desert, snow; shares by judgement.

    A weight of 0 leaves a landscape out; a share of 0 leaves an element out.
    """

    real_share: float = Field(0.45, ge=0, le=1, description="share of parcels cut from real tiles")
    farmland_weight: float = Field(6.2, ge=0, description="weight of farmland among synthetic landscapes")
    grassland_weight: float = Field(1.8, ge=0, description="weight of meadow and steppe")
    arid_weight: float = Field(0.9, ge=0, description="weight of desert and dunes")
    snow_weight: float = Field(0.6, ge=0, description="weight of snow")
    wet_weight: float = Field(0.35, ge=0, description="weight of marsh and flood meadow")
    parcel_width_m: tuple[float, float] = Field((45.0, 400.0), description="width of strips of parcels, log-uniform, m")
    parcel_length_m: tuple[float, float] = Field((80.0, 700.0), description="length of parcels, log-uniform, m")
    headland_share: float = Field(0.35, ge=0, le=1, description="share of tilled parcels with a headland")
    wood_share: float = Field(0.04, ge=0, le=1, description="share of synthetic parcels under wood or scrub")
    orchard_share: float = Field(0.015, ge=0, le=1, description="share of synthetic parcels that are orchards")
    belt_share: float = Field(0.16, ge=0, le=1, description="share of parcel borders with a shelter belt")
    border_track_share: float = Field(0.22, ge=0, le=1, description="share of parcel borders with a field track")
    ditch_share: float = Field(0.06, ge=0, le=1, description="share of parcel borders with a ditch")
    verge_share: float = Field(0.5, ge=0, le=1, description="share of the other borders with a grassy or bare verge")
    tracks_per_km: float = Field(4.0, ge=0, description="tracks across the land per km of the canvas' longer side")


class BuiltConfig(_Section):
    """Villages, pavements, vehicles and tents.

    Sizes without another source were read off UC Merced (USGS, 0.3 m) and Kampala (OpenAerialMap, 0.07–0.3 m) tiles.
    """

    village_share: float = Field(0.08, ge=0, le=1, description="share of samples with a settlement drawn on them")
    single_building_share: float = Field(0.15, ge=0, le=1, description="share of samples with one to three buildings")
    pavement_share: float = Field(0.10, ge=0, le=1, description="share of samples on a runway or apron")
    road_share: float = Field(0.20, ge=0, le=1, description="share of samples with a road or track across them")
    vehicles_share: float = Field(0.35, ge=0, le=1, description="share of samples with vehicles")
    tents_share: float = Field(0.05, ge=0, le=1, description="share of samples with a camp of tents")
    rubble_share: float = Field(0.06, ge=0, le=1, description="share of samples with rubble but no strike under it")
    dense_share: float = Field(0.30, ge=0, le=1, description="share of settlements that are dense blocks without yards")
    farm_share: float = Field(0.20, ge=0, le=1, description="share of settlements that are one farm with sheds")
    shelter_share: float = Field(0.10, ge=0, le=1, description="share of settlements that are rows of shelters")
    village_radius_m: tuple[float, float] = Field((60.0, 250.0), description="radius of a settlement, m")
    plot_width_m: tuple[float, float] = Field((14.0, 30.0), description="street front of a plot, m")
    plot_depth_m: tuple[float, float] = Field((24.0, 50.0), description="depth of a plot behind the street, m")
    house_length_m: tuple[float, float] = Field((8.0, 18.0), description="long side of a house, m")
    house_width_m: tuple[float, float] = Field((6.0, 11.0), description="short side of a house, m")
    eaves_m: tuple[float, float] = Field((2.4, 6.5), description="height of a house's eaves, m")
    yard_trees: float = Field(1.6, ge=0, description="mean number of trees in a yard")
    slab_m: tuple[float, float] = Field(
        (3.8, 7.6), description="side of a concrete slab, m; joints as in FAA AC 150/5320-6G and Soviet cast slabs"
    )
    runway_width_m: tuple[float, float] = Field((18.0, 60.0), description="m; code widths of ICAO Annex 14 vol. I")
    vehicle_count: float = Field(1.6, ge=0, description="mean number of groups of vehicles per hectare, at most 40")
    military_share: float = Field(0.3, ge=0, le=1, description="share of vehicle groups painted olive, sand or grey")
    aircraft_share: float = Field(0.3, ge=0, le=1, description="share of aprons and runways with parked aircraft")


class LookalikeConfig(_Section):
    """Things that are not craters but look like them: a mean number per hectare for each group; 0 leaves it out.

    Rates by judgement, weighted by what a first model took for craters (sim_to_real.md): trees, bushes and their
    shadows, crossings and loops, parcel corners, soil blotches, dark spots in grass, captions.
    """

    plants: float = Field(1.1, ge=0, description="trees, bushes, rows, hedges per hectare")
    stores: float = Field(0.35, ge=0, description="bales, tanks, silos, wells, manholes per hectare")
    lawns: float = Field(
        0.8, ge=0, description="single trees, mulch rings, patches of other grass, bunkers per hectare"
    )
    water: float = Field(0.3, ge=0, description="ponds, puddles, pools, basins per hectare")
    earthworks: float = Field(0.4, ge=0, description="excavations, heaps, trenches, revetments, stones per hectare")
    marks: float = Field(0.9, ge=0, description="blotches, spots, burns, damp streaks per hectare")
    tracks: float = Field(0.6, ge=0, description="crossings, loops, worn corners, vehicle tracks per hectare")
    built: float = Field(0.25, ge=0, description="poles, pylons, panels, roof gear, playgrounds per hectare")
    cars: float = Field(0.5, ge=0, description="single cars per hectare and date, most of them red or dark")
    aftermath: float = Field(0.15, ge=0, description="fallen trees, heaps, small pits, fires per hectare and date")
    image_share: float = Field(0.07, ge=0, description="mean number of captions, seams and lost lines per image")
    clutter: tuple[float, ...] = Field((0.0, 0.5, 1.5, 4.0), description="factor on all rates, one of these per scene")
    clutter_weights: tuple[float, ...] = Field((0.25, 0.35, 0.3, 0.1), description="weights of the factors")
    most: int = Field(400, ge=0, description="largest number of one group in one scene")

    def rate_per_ha(self, group: str) -> float:
        """Mean number of a group per hectare."""
        return float(getattr(self, group, 0.0))


class ChangeConfig(_Section):
    """What differs between the two dates apart from strikes.

    Shares of pairs; they are judgements, set so that every kind of change is common enough to be learnt as no strike.
    """

    season_share: float = Field(0.55, ge=0, le=1, description="share with greener, drier or bare plants on one date")
    snow_share: float = Field(0.02, ge=0, le=1, description="share with snow on one date only")
    mottle_share: float = Field(0.8, ge=0, le=1, description="share whose plants and soils are mottled differently")
    mottle: tuple[float, float] = Field((0.01, 0.10), description="relative SD of broad mottling")
    light_share: float = Field(0.4, ge=0, le=1, description="share with another light on imagery that has its own")
    farm_work_share: float = Field(0.3, ge=0, le=1, description="share with a field ploughed, harvested or mown")
    farm_work_kinds: tuple[float, float, float] = Field(
        (0.4, 0.3, 0.3), description="shares of ploughing, harvest and mowing; sum 1"
    )
    damp_share: float = Field(0.12, ge=0, le=1, description="share with damp ground on one date")
    flood_share: float = Field(0.2, ge=0, le=1, description="share of damp grounds with standing water")
    track_share: float = Field(0.12, ge=0, le=1, description="share with a track or wheel marks on one date")
    construction_share: float = Field(0.06, ge=0, le=1, description="share with a building put up or pulled down")
    demolition_rubble_share: float = Field(0.5, ge=0, le=1, description="share of demolitions that leave rubble")
    tree_cut_share: float = Field(0.08, ge=0, le=1, description="share with trees that were cut")
    storm_share: float = Field(0.04, ge=0, le=1, description="share with rubble, tarpaulins and fallen trees after")
    vehicles_share: float = Field(0.2, ge=0, le=1, description="share with vehicles that come and go")
    vehicle_groups: float = Field(1.0, ge=0, description="mean number of groups of vehicles per date")
    tents_share: float = Field(0.03, ge=0, le=1, description="share with a camp put up or taken down")
    disorder_share: float = Field(
        0.42, ge=0, le=1, description="share where much of small size is new on one date: cars, heaps, fallen trees"
    )
    disorder_per_ha: tuple[float, float] = Field(
        (4.0, 25.0), description="new things per hectare in such a pair, log-uniform; at least three"
    )
    disorder_after_share: float = Field(
        0.8, ge=0, le=1, description="share of these, and of upheavals, that lie on the after image"
    )
    upheaval_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="share where dirt, stains and litter of a storm or flood lie over all natural ground",
    )
    windrow_share: float = Field(
        0.0, ge=0, le=1, description="share with hay or straw in windrows that bend around craters: for training"
    )


class LightConfig(_Section):
    """Where sun and sensor stand at the two dates."""

    sun_elevation_deg: tuple[float, float] = Field(
        (22.0, 68.0), description="above the horizon; morning passes at 30 to 55 degrees of latitude over the year"
    )
    sun_azimuth_deg: float | None = Field(
        None, ge=0, lt=360, description="of the after image's sun; default: any. Nothing else changes with it"
    )
    sun_turn_sd_deg: float = Field(
        25.0, ge=0, description="SD of the change of the sun's azimuth between the dates: other season, other hour"
    )
    leaning_share: float = Field(0.7, ge=0, le=1, description="share of dates that were not taken from the zenith")
    off_nadir_sd_deg: float = Field(14.0, ge=0, description="SD of the angle off nadir; archives hold most below 25")
    off_nadir_max_deg: float = Field(35.0, ge=0, lt=60, description="largest angle off nadir")


class WeatherConfig(_Section):
    """What is in the air at each date."""

    haze_share: float = Field(0.22, ge=0, le=1, description="share of dates with haze")
    haze: tuple[float, float] = Field((0.04, 0.35), description="share of air light in the signal of hazy dates")
    patchy_share: float = Field(0.35, ge=0, le=1, description="share of hazes that are uneven")
    thin_cloud_share: float = Field(0.04, ge=0, le=1, description="share of dates with thin cloud")
    thick_cloud_share: float = Field(0.03, ge=0, le=1, description="share of dates with thick cloud or its shadow")
    cloud_cover: tuple[float, float] = Field((0.1, 0.45), description="share of sky covered on cloudy dates")
    cloud_height_m: tuple[float, float] = Field((500.0, 2000.0), description="base of low cloud (WMO), m")
    smoke_share: float = Field(0.05, ge=0, le=1, description="share of dates with one to three plumes")
    plume_length_m: tuple[float, float] = Field((15.0, 160.0), description="length of a plume of smoke or dust, m")


class SensorConfig(_Section):
    """Optics, sampling, radiometry and compression of each date, and what alignment leaves between them.

    Ranges without another source are those of the measured scenes (level and SD of the ground, sharpness, JPEG
    quality) or of makers' product guides: 0.3 to 0.8 m panchromatic, colour four times coarser, 11 bits.
    """

    native_gsd_m: tuple[float, float] = Field((0.3, 0.8), description="sensor's own GSD, log-uniform, m")
    coarse_share: float = Field(0.12, ge=0, le=1, description="share of images from a coarser sensor")
    coarse_gsd_m: tuple[float, float] = Field((0.8, 1.2), description="GSD of coarser sensors, log-uniform, m")
    psf_sigma_px: tuple[float, float] = Field(
        (0.45, 0.9),
        description="Gaussian point spread, native px (FWHM 1.06 to 2.1); as fitted in the sim-to-real study",
    )
    enlarged_share: float = Field(0.5, ge=0, le=1, description="share of files resampled finer than they were taken")
    pansharpen_share: float = Field(0.6, ge=0, le=1, description="share of images with colour at a quarter resolution")
    chroma_shift_sd_px: float = Field(0.35, ge=0, description="colour against panchromatic bands, SD, native px")
    sharpen_share: float = Field(0.4, ge=0, le=1, description="share of products sharpened with visible halos")
    sharpen: tuple[float, float] = Field((0.15, 0.9), description="amount of unsharp masking, radius 1.2 px")
    noise_dn: tuple[float, float] = Field((0.5, 3.5), description="noise SD at 100 DN, log-uniform, DN")
    stripe_share: float = Field(0.06, ge=0, le=1, description="share of images with detector stripes")
    stripe_dn: tuple[float, float] = Field((0.4, 1.5), description="SD of stripes, DN")
    jpeg_share: float = Field(0.65, ge=0, le=1, description="share of images that went through JPEG 4:2:0")
    jpeg_quality: tuple[int, int] = Field((50, 95), description="JPEG quality (libjpeg)")
    jpeg2000_share: float = Field(0.02, ge=0, le=1, description="share of images that went through JPEG 2000")
    jpeg2000_ratio: tuple[float, float] = Field((8.0, 30.0), description="compression ratio of JPEG 2000")
    level_dn: float = Field(98.0, gt=0, description="median level that products are stretched to, DN; measured 96")
    level_log_sd: float = Field(0.22, ge=0, description="its log-SD; measured 76 to 132 DN between the tenths")
    cast_sd: float = Field(
        0.035, ge=0, description="log-SD of the gains: all channels, blue to orange, green to magenta"
    )
    offset_sd_dn: float = Field(3.0, ge=0, description="SD of offsets along the same three axes, DN")
    gamma_log_sd: float = Field(0.14, ge=0, description="log-SD of the tone curve's exponent")
    contrast_log_sd: float = Field(0.2, ge=0, description="log-SD of contrast about the median")
    saturation: tuple[float, float] = Field((0.45, 1.25), description="saturation of ordinary products")
    dull_share: float = Field(0.12, ge=0, le=1, description="share of greyish products of low contrast")
    vivid_share: float = Field(0.08, ge=0, le=1, description="share of over-saturated products")
    black_and_white_share: float = Field(0.04, ge=0, le=1, description="share of panchromatic products")
    stretch_share: float = Field(0.3, ge=0, le=1, description="share of products stretched with clipped ends")
    clip_share: tuple[float, float] = Field((0.002, 0.02), description="share of pixels clipped at either end")
    same_sensor_share: float = Field(0.35, ge=0, le=1, description="share of pairs of one sensor and product")
    misaligned_share: float = Field(0.85, ge=0, le=1, description="share of pairs with a residual of alignment")
    shift_sd_px: float = Field(0.3, ge=0, description="residual shift, SD per axis, px; the gate's usual residual")
    tail_share: float = Field(0.1, ge=0, le=1, description="share of misaligned pairs off by tail_px")
    tail_px: tuple[float, float] = Field((0.5, 2.0), description="residual shift in the tail, px")
    rotation_sd_deg: float = Field(0.03, ge=0, description="residual rotation about the centre, SD, degrees")
    scale_sd: float = Field(0.0005, ge=0, description="residual scale, SD")
    relief_share: float = Field(0.35, ge=0, le=1, description="share of misaligned pairs with local residuals (relief)")
    relief_px: tuple[float, float] = Field((0.2, 1.5), description="largest local residual, px")
    relief_wavelength_m: tuple[float, float] = Field((60.0, 300.0), description="extent of local residuals, m")


class SimulationConfig(_Section):
    """The whole simulation."""

    strikes: StrikeConfig = StrikeConfig()
    ground: GroundConfig = GroundConfig()
    built: BuiltConfig = BuiltConfig()
    lookalikes: LookalikeConfig = LookalikeConfig()
    change: ChangeConfig = ChangeConfig()
    weather: WeatherConfig = WeatherConfig()
    light: LightConfig = LightConfig()
    sensor: SensorConfig = SensorConfig()


def stream(seed: tuple[int, ...], element: str) -> np.random.Generator:
    """The random numbers of one element of one sample: the same whatever other elements do."""
    return np.random.default_rng((*seed, zlib.crc32(element.encode())))

"""Craters, blast patterns and whole scenes drawn onto imagery, with exact truth.

Begin with ``pair``: it makes a before/after pair in the order in which things happen. ``config`` holds every setting.
By what they draw, modules are:

- canvas: ``ground``, ``shapes``, ``noise``;
- land: ``setting``, ``parcels``; real: ``background``, ``tile_ground``; synthetic: ``fields``, ``openland``; on both:
  ``tracks``, ``trees``;
- what is built: ``settlements``, ``plots``, ``buildings``, ``roads``, ``pavement``, ``vehicle_groups``, ``vehicles``;
- no crater, but like one: ``lookalikes``, ``debris``;
- between the dates: ``change``, ``upheaval``, ``windrows``;
- strikes, planned: ``salvo``, ``salvo_style``, ``families``, ``contrast``, ``natural_strike``, ``large_strike``,
  ``scaling``, ``ageing``; and drawn: ``strike``, ``render``, ``crater``, ``pattern``, ``wings``, ``pavement_hit``,
  ``roof_hit``;
- the picture of a date: ``acquisition``, ``light``, ``weather``, ``sensor``, ``alignment``;
- truth: ``truth``, ``visibility``, ``scene_truth``;
- data sets: ``dataset``, ``dataset_card``, ``scene_files``, of ``pair_scene`` or ``scene``, ``recipe`` and ``mosaic``;
  pairs for training: ``stream``;
- held against real craters: ``appearance``, ``reference_fields``, ``realism``; pictures: ``gallery``.
"""

"use strict";
/* The report's map and table. Places come in centimetres on the overview picture, x right and y down (mapdata.py). */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const place = (x, y) => [-y / 100, x / 100];
  const box = (left, top, right, bottom) => [place(left, bottom), place(right, top)];
  const rings = (all) => all.map((ring) => {
    const points = [];
    for (let k = 0; k < ring.length; k += 2) points.push(place(ring[k], ring[k + 1]));
    return points;
  });
  const cardOf = (id) => byId("card-" + id);
  const impacts = new Map(data.impacts.map((impact) => [impact.i, impact]));

  const scene = byId("leaflet");
  const whole = box(0, 0, data.width_m * 100, data.height_m * 100);
  const map = L.map(scene, {
    crs: L.CRS.Simple, preferCanvas: true, zoomSnap: 0.25, minZoom: -10, maxZoom: 6, attributionControl: false,
  });
  map.fitBounds(whole);
  map.setMaxBounds(L.latLngBounds(whole).pad(0.5));
  map.createPane("after").style.zIndex = 200;
  map.createPane("before").style.zIndex = 220;
  const picture = (name) => document.querySelector(`#paper-scene image[data-picture="${name}"]`)?.getAttribute("href");
  L.imageOverlay(picture("after"), whole, { pane: "after", alt: "The scene after" }).addTo(map);
  const before = picture("before");
  if (before) L.imageOverlay(before, whole, { pane: "before", alt: "The scene before" }).addTo(map);

  /* Pictures of single impacts are finer than the overview: they are laid over it where one has zoomed in. */
  const chips = L.layerGroup();
  for (const chip of data.chips) {
    const card = cardOf(chip.i);
    const after = card?.querySelector("image")?.getAttribute("href");
    const earlier = card?.querySelector("img[data-chip=before]")?.src;
    if (after) chips.addLayer(L.imageOverlay(after, box(...chip.b), { pane: "after" }));
    if (earlier) chips.addLayer(L.imageOverlay(earlier, box(...chip.b), { pane: "before" }));
  }
  const overviewZoom = Math.log2(1 / data.metres_per_pixel);
  const showChips = () => map[map.getZoom() > overviewZoom + 0.3 ? "addLayer" : "removeLayer"](chips);
  map.on("zoomend", showChips);
  showChips();

  const swipe = byId("swipe");
  const cut = () => {
    /* Nothing outside the scene is shown; of the scene before, only what is left of the swipe. */
    const corner = (point) => map.latLngToLayerPoint(point);
    const low = corner(place(0, 0)), high = corner(place(data.width_m * 100, data.height_m * 100));
    map.getPane("after").style.clip = `rect(${low.y}px, ${high.x}px, ${high.y}px, ${low.x}px)`;
    const size = map.getSize(), share = swipe ? swipe.value / 100 : 0;
    const x = Math.min(map.containerPointToLayerPoint([size.x * share, 0]).x, high.x);
    map.getPane("before").style.clip = `rect(${low.y}px, ${x}px, ${high.y}px, ${low.x}px)`;
  };
  map.on("move zoomend resize", cut);
  swipe?.addEventListener("input", cut);
  cut();

  const drawn = {
    structures: ["Structures", { color: "#56c1ff", weight: 1.5, fillOpacity: 0.1 }],
    landmarks: ["Groups, centrelines, junctions", { color: "#56c1ff", weight: 1.2, dashArray: "3 3", fill: false }],
    secondary: ["Secondary patterns", { color: "#ffb000", weight: 1.4, dashArray: "5 4", fill: false }],
    blast: ["Blast patterns", { color: "#ffb000", weight: 2, fillOpacity: 0.08 }],
    crater: ["Craters", { color: "#ff3b30", weight: 2.2, fill: false }],
    axes: ["Orientations", { color: "#ffe14d", weight: 1.6, fillOpacity: 0.15 }],
    links: ["Lines to structures", { color: "#ff8ff0", weight: 1.8, dashArray: "7 4", fill: false }],
    masked: ["Ground that was left out", { color: "#c9ced6", weight: 1.2, dashArray: "2 4", fillOpacity: 0.3 }],
    less_likely: ["\u25c6 Less likely aim points", { color: "#3d1a78", weight: 1.6, fillColor: "#cdb2ff", fillOpacity: 0.6 }],
    likely: ["\u25cf Likely aim points", { color: "#06391e", weight: 1.6, fillColor: "#2fe58a", fillOpacity: 0.6 }],
  };
  const switches = {};
  for (const [name, [label, style]] of Object.entries(drawn)) {
    const shapes = data.layers[name];
    if (!shapes.length) continue;
    const make = name === "links" ? L.polyline : L.polygon;
    const group = L.featureGroup(shapes.map((s) => make(rings(s.r), { ...style, title: s.t })));
    switches[label] = group.bindTooltip((layer) => layer.options.title, { sticky: true }).addTo(map);
  }
  const colours = { new: "#ff3b30", old: "#8d97a5", unknown: "#ffb000" };
  const dots = L.featureGroup(data.impacts.map((impact) => L.circleMarker(place(...impact.p), {
    radius: 5, weight: 1.5, color: "#fff", fillColor: colours[impact.s], fillOpacity: 1, impact,
  })));
  switches.Impacts = dots.bindTooltip((layer) => layer.options.impact.t).addTo(map);
  dots.on("click", (event) => popup(event.layer.options.impact));
  L.control.layers(null, switches, { collapsed: scene.clientWidth < 800 }).addTo(map);
  L.control.scale({ imperial: false, maxWidth: 160 }).addTo(map);
  const north = L.control({ position: "topleft" });
  north.onAdd = () => byId("north").content.firstElementChild;
  north.addTo(map);

  const popup = (impact) => {
    const text = document.createElement("div");
    text.textContent = impact.t + ". ";
    const link = text.appendChild(document.createElement("a"));
    link.href = cardOf(impact.i) ? "#card-" + impact.i : "#table";
    link.textContent = cardOf(impact.i) ? "Its card" : "Its row in the table";
    if (!cardOf(impact.i)) link.addEventListener("click", () => table?.scrollToRow(impact.i, "center"));
    L.popup().setLatLng(place(...impact.p)).setContent(text).openOn(map);
  };
  const show = (id) => {
    const impact = impacts.get(id);
    map.setView(place(...impact.p), Math.max(map.getZoom(), overviewZoom + 1.5), { animate: false });
    popup(impact);
    byId("map").scrollIntoView();
    scene.focus({ preventScroll: true });
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-show]");
    if (button) show(button.dataset.show);
  });

  const target = byId("impacts");
  let table = null;
  if (target) {
    const kept = new Set(data.paper_columns);
    const column = ([name, decimals]) => {
      const values = new Set(data.rows.map((row) => row[name]));
      const numeric = decimals !== null;
      const filter = numeric
        ? { headerFilter: "number", headerFilterPlaceholder: "at least", headerFilterFunc: ">=" }
        : values.size <= 12
          ? { headerFilter: "list", headerFilterParams: { valuesLookup: true, clearable: true } }
          : { headerFilter: "input", headerFilterPlaceholder: "contains" };
      return {
        title: name, field: name, cssClass: name, hozAlign: numeric ? "right" : "left",
        sorter: numeric ? "number" : "alphanum", sorterParams: { alignEmptyValues: "bottom" }, print: kept.has(name), ...filter,
      };
    };
    const columns = data.columns.map(column);
    columns[0].frozen = true;
    columns[0].formatter = (cell) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.show = button.textContent = cell.getValue();
      button.title = "Show on the map";
      return button;
    };
    columns[0].formatterPrint = (cell) => cell.getValue();
    table = new Tabulator(target, {
      data: data.rows, columns, index: "impact_id", layout: "fitDataFill", printAsHtml: true, printStyled: false, printRowRange: "active",
      ...(data.rows.length > 25 ? { height: "70vh" } : {}),
    });
    const count = byId("shown");
    const tell = (_filters, rows) => { count.textContent = `${rows.length} of ${data.rows.length} shown`; };
    table.on("dataFiltered", tell);
    table.on("tableBuilt", () => {
      tell(null, table.getRows("active"));
      for (const head of target.querySelectorAll(".tabulator-col[aria-sort]")) {
        head.tabIndex = 0;
        head.addEventListener("keydown", (event) => {
          if (event.target === head && (event.key === "Enter" || event.key === " ")) {
            event.preventDefault();
            head.querySelector(".tabulator-col-content").click();
          }
        });
      }
    });
    byId("download").addEventListener("click", () => table.download("csv", "impacts_shown.csv"));
  }
  document.documentElement.dataset.ready = "true";
})();

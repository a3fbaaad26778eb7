/* The map of the whole scene: a dot per impact, a click looks at a place. */
const COLOURS = { unreviewed: "#ffb000", accepted: "#2fa866", rejected: "#8d97a5", added: "#b07cff" };

export class SceneMap {
  /* onPick(id) is told of a dot, onPlace([x, y]) of a place in the scene's picture. */
  constructor(element, scene, onPick, onPlace) {
    this.place = ([x, y]) => [-y * scene.metres_per_pixel, x * scene.metres_per_pixel];
    const whole = [this.place([0, scene.height]), this.place([scene.width, 0])];
    this.map = L.map(element, { crs: L.CRS.Simple, preferCanvas: true, zoomSnap: 0.25, minZoom: -10, maxZoom: 5, attributionControl: false });
    this.map.fitBounds(whole);
    this.map.setMaxBounds(L.latLngBounds(whole).pad(0.5));
    L.imageOverlay("scene", whole, { alt: "The scene after" }).addTo(this.map);
    this.dots = L.featureGroup().addTo(this.map);
    this.mark = L.circleMarker(whole[0], { radius: 10, weight: 2.5, color: "#fff", fill: false, interactive: false });
    this.dots.bindTooltip((layer) => layer.options.id);
    this.dots.on("click", (event) => { L.DomEvent.stopPropagation(event); onPick(event.layer.options.id); });
    this.map.on("click", (event) => onPlace([event.latlng.lng / scene.metres_per_pixel, -event.latlng.lat / scene.metres_per_pixel]));
  }

  show(impacts) {
    this.dots.clearLayers();
    this.byId = new Map();
    for (const impact of impacts) {
      const dot = L.circleMarker(this.place(impact.at), { radius: 5, weight: 1.5, color: "#fff", fillOpacity: 1, fillColor: COLOURS[impact.decision], id: impact.id });
      this.byId.set(impact.id, dot.addTo(this.dots));
    }
  }

  recolour(id, decision) { this.byId.get(id)?.setStyle({ fillColor: COLOURS[decision] }); }

  point(at) {
    this.mark.setLatLng(this.place(at)).addTo(this.map);
    if (!this.map.getBounds().contains(this.place(at))) this.map.panTo(this.place(at), { animate: false });
  }
}

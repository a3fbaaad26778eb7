/* The two pictures of a place and what is drawn over them; the handles of the impact in hand can be dragged. */
const SVG = "http://www.w3.org/2000/svg";
const STEP = { centre: 0.5, crater_radius_m: 0.1, blast_radius_m: 0.1, direction_deg: 1 };
const NAMES = {
  centre: "Centre", crater_radius_m: "Crater radius in metres", blast_radius_m: "Blast radius in metres",
  direction_deg: "Axis in degrees clockwise from north",
};

export const make = (name, attributes = {}, ...children) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(key, value);
  element.append(...children);
  return element;
};

/* Conversions of one picture: (x, y) of the picture, (row, col) of the after image, steps (east, north) in metres. */
export class Geometry {
  constructor(view) {
    [this.a, this.b, this.c, this.d, this.e, this.f] = view.to_after;
    this.det = this.a * this.e - this.b * this.d;
    this.m = view.metres;
    this.area = this.m[0][0] * this.m[1][1] - this.m[0][1] * this.m[1][0];
    this.metresPerPixel = Math.sqrt(Math.abs(this.area));
  }
  toAfter([x, y]) { return [this.d * x + this.e * y + this.f, this.a * x + this.b * y + this.c]; }
  fromAfter([row, col]) {
    const u = col - this.c, v = row - this.f;
    return [(this.e * u - this.b * v) / this.det, (this.a * v - this.d * u) / this.det];
  }
  metres([x, y]) { return [this.m[0][0] * x + this.m[0][1] * y, this.m[1][0] * x + this.m[1][1] * y]; }
  pixels([east, north]) {
    return [(this.m[1][1] * east - this.m[0][1] * north) / this.area, (this.m[0][0] * north - this.m[1][0] * east) / this.area];
  }
}

const along = (azimuth, length) => [length * Math.sin(azimuth * Math.PI / 180), length * Math.cos(azimuth * Math.PI / 180)];
const azimuthOf = ([east, north]) => (Math.atan2(east, north) * 180 / Math.PI + 360) % 360;

export class Picture {
  /* svg: the element; onChange(values, done): told while a handle moves, and when it has come to rest. */
  constructor(svg, onChange = null) {
    this.svg = svg;
    this.onChange = onChange;
    this.image = svg.appendChild(make("image", { width: 560, height: 560 }));
    this.under = svg.appendChild(make("g", { class: "under" }));
    this.own = svg.appendChild(make("g", { class: "own" }));
    this.over = svg.appendChild(make("g", { class: "over" }));
    this.timer = null;
  }

  show(view, href, currentId, windowId) {
    this.view = view;
    this.geometry = new Geometry(view);
    if (this.image.getAttribute("href") !== href) this.image.setAttribute("href", href);
    const drawn = view.structures.map((s) => make("path", { class: "structure", d: s.d }, make("title", {}, s.title)));
    drawn.push(...view.landmarks.map((d) => make("path", { class: "landmark", d })));
    drawn.push(...view.windows.filter((w) => w.id === windowId).map((w) => make("path", { class: "border", d: w.d })));
    for (const other of view.impacts.filter((i) => i.id !== currentId)) {
      const [x, y] = other.at;
      drawn.push(make("g", { class: "other " + other.decision }, make("circle", { cx: x, cy: y, r: 12 }), make("title", {}, other.id)));
      drawn.push(make("text", { class: "caption", x: x + 14, y: y - 8 }, other.id));
    }
    this.under.replaceChildren(...drawn);
    const { length_m, length_px } = view.bar;
    this.over.replaceChildren(
      make("rect", { x: 14, y: 538, width: length_px, height: 5, fill: "#fff", stroke: "#000" }),
      make("text", { class: "caption", x: 14, y: 530 }, `${length_m} m`),
      make("g", { transform: `translate(535 30) rotate(${view.north_deg})` }, make("path", { d: "M0 -16L6 6L0 2L-6 6Z", class: "arrow" })),
      make("text", { class: "caption", x: 530, y: 56 }, "N"),
    );
  }

  /* values: centre_px, radii, direction; extra: sd, match, picked aim, whether it was rejected. */
  draw(values, extra) {
    this.values = values;
    this.extra = extra;
    if (!values) { this.own.replaceChildren(); return; }
    const focused = document.activeElement?.dataset?.handle;
    const g = this.geometry, [x, y] = g.fromAfter(values.centre_px);
    const at = (step) => { const [dx, dy] = g.pixels(step); return [x + dx, y + dy]; };
    const parts = [];
    const circle = (name, radius) => parts.push(make("circle", { class: name, cx: x, cy: y, r: radius / g.metresPerPixel }));
    if (values.blast_radius_m) circle("blast", values.blast_radius_m);
    circle("crater", values.crater_radius_m);
    const match = extra?.match;
    if (match) {
      const [ex, ey] = at(match.edge_at);
      if (match.edge_m > 0) parts.push(make("path", { class: "link line", d: `M${x} ${y}L${ex} ${ey}` }));
      match.aims.forEach((aim, rank) => {
        const picked = aim.id === extra.aim;
        if (!aim.at || (rank > 1 && !picked)) return;
        const [ax, ay] = at(aim.at);
        parts.push(make("circle", { class: picked ? "pinned" : rank ? "aim less" : "aim likely", cx: ax, cy: ay, r: picked ? 8 : 6 }, make("title", {}, aim.name)));
      });
    }
    const reach = 1.15 * Math.max(values.blast_radius_m || 0, 2 * values.crater_radius_m);
    if (values.direction_deg !== null) {
      const [tx, ty] = at(along(values.direction_deg, reach));
      if (extra?.direction_sd_deg) {
        const sd = Math.min(extra.direction_sd_deg, 90);
        const arc = [-1, -0.5, 0, 0.5, 1].map((k) => at(along(values.direction_deg + k * sd, reach)).join(" ")).join("L");
        parts.push(make("path", { class: "spread", d: `M${x} ${y}L${arc}Z` }));
      }
      parts.push(make("path", { class: "axis line", d: `M${x} ${y}L${tx} ${ty}` }));
      if (this.onChange) parts.push(this.handle("direction_deg", [tx, ty], values.direction_deg, 0, 359.9));
    }
    if (this.onChange) {
      const east = at(along(90, values.crater_radius_m));
      parts.push(this.handle("crater_radius_m", east, values.crater_radius_m, 0.05, 1000));
      if (values.blast_radius_m) parts.push(this.handle("blast_radius_m", at(along(225, values.blast_radius_m)), values.blast_radius_m, 0.05, 1000));
      parts.push(this.handle("centre", [x, y], null, null, null));
    }
    this.own.setAttribute("class", extra?.decision === "rejected" ? "own rejected-now" : "own");
    this.drawing = true;
    this.own.replaceChildren(...parts);
    if (focused) this.own.querySelector(`[data-handle=${focused}]`)?.focus();
    this.drawing = false;
  }

  handle(name, [x, y], value, low, high) {
    const label = NAMES[name];
    const grip = name === "centre"
      ? [make("path", { class: "shade", d: "M-9 0H9M0 -9V9" }), make("path", { class: "cross", d: "M-8 0H8M0 -8V8" })]
      : [make("circle", { class: "grip", r: 6 })];
    const group = make("g", {
      class: "handle", tabindex: 0, transform: `translate(${x} ${y})`, "data-handle": name,
      role: value === null ? "button" : "slider", "aria-valuenow": value === null ? null : value.toFixed(2),
      "aria-valuemin": low, "aria-valuemax": high,
      "aria-label": value === null ? `${label}; arrow keys move it` : label,
    }, ...grip, make("circle", { class: "zone grip-zone", r: 14 }), make("title", {}, label));
    group.addEventListener("pointerdown", (event) => this.drag(event, name));
    group.addEventListener("keydown", (event) => this.key(event, name));
    /* Drawing anew takes the handle out of the page, which is no leaving of it. */
    group.addEventListener("blur", () => { if (!this.drawing && !this.dragging) this.rest(); });
    return group;
  }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    return [(event.clientX - box.left) * 560 / box.width, (event.clientY - box.top) * 560 / box.height];
  }

  drag(event, name) {
    if (event.button) return;
    event.preventDefault();
    this.own.querySelector(`[data-handle=${name}]`)?.focus();
    const move = (moved) => this.change(name, this.valueAt(name, this.point(moved)), false);
    this.dragging = true;
    const up = () => {
      this.dragging = false;
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", up);
      window.removeEventListener("pointercancel", up);
      this.rest();
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", up);
    window.addEventListener("pointercancel", up);
  }

  valueAt(name, [px, py]) {
    const g = this.geometry;
    if (name === "centre") return g.toAfter([px, py]).map((v) => Math.round(v * 100) / 100);
    const [x, y] = g.fromAfter(this.values.centre_px);
    const step = g.metres([px - x, py - y]);
    return name === "direction_deg"
      ? Math.round(azimuthOf(step) * 10) / 10 % 360
      : Math.max(0.05, Math.round(Math.hypot(...step) * 100) / 100);
  }

  key(event, name) {
    const way = { ArrowUp: [-1, 0, 1], ArrowDown: [1, 0, -1], ArrowLeft: [0, -1, -1], ArrowRight: [0, 1, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const step = STEP[name] * (event.shiftKey ? 10 : 1), v = this.values;
    const value = name === "centre"
      ? [v.centre_px[0] + way[0] * step, v.centre_px[1] + way[1] * step]
      : name === "direction_deg" ? (v.direction_deg + way[2] * step + 360) % 360
        : Math.max(0.05, Math.round((v[name] + way[2] * step) * 100) / 100);
    this.change(name, value);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.rest(), 700);
  }

  change(name, value) {
    this.dirty = name === "centre" ? "centre_px" : name;
    this.draw({ ...this.values, [this.dirty]: value }, this.extra);
    this.onChange(this.values, null);
  }

  /* What was moved has come to rest: now it is an edit. */
  rest() {
    clearTimeout(this.timer);
    if (!this.dirty) return;
    const field = this.dirty;
    this.dirty = null;
    this.onChange(this.values, field);
  }
}

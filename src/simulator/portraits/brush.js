// The brush of the portraits: draws the hair that the attributes of a region ask for.
//
// A region is a path with `data-hair="COUNT LENGTH WIDTH"`, `data-colours="#abc #def"` and `data-flow`: a list of `x,y,ANGLE`
// (hair lies that way there, in degrees clockwise from the right) and of `x,y` (hair grows away from that point). Between
// them the direction is interpolated by distance. `data-bend` curves each hair, `data-stray` is the spread of directions in
// degrees. The same file gives the same picture: chance is seeded by the position of the region in the document.
"use strict";

const DEGREE = Math.PI / 180;

/** Random numbers from 0 to 1 (mulberry32). */
function chance(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The direction of the hair at a point, by the square of the distance to what is given. */
function direction(flow, x, y) {
  let [dx, dy] = [0, 0];
  for (const [fx, fy, angle] of flow) {
    const distance = Math.hypot(x - fx, y - fy) + 1;
    const [vx, vy] = angle === undefined
      ? [(x - fx) / distance, (y - fy) / distance]
      : [Math.cos(angle * DEGREE), Math.sin(angle * DEGREE)];
    dx += vx / distance ** 2;
    dy += vy / distance ** 2;
  }
  return Math.atan2(dy, dx);
}

/** The outline of one hair: wide at the root, curved, pointed. */
function hair({ x, y, angle, length, width, bend }) {
  const at = (along, across) => {
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return `${(x + along * c - across * s).toFixed(1)} ${(y + along * s + across * c).toFixed(1)}`;
  };
  const tip = at(length, bend * length);
  return `M${at(0, -width / 2)}Q${at(length * 0.55, -width / 2)} ${tip}Q${at(length * 0.55, width / 2)} ${at(0, width / 2)}z`;
}

/** Grows the hair of one region behind it in the document: hair at the ends first, so that it lies like tiles. */
function grow(region, seed) {
  const random = chance(seed);
  const [count, length, width] = region.dataset.hair.split(" ").map(Number);
  const colours = region.dataset.colours.split(" ");
  const flow = region.dataset.flow.split(" ").map((part) => part.split(",").map(Number));
  const bend = Number(region.dataset.bend ?? 0.08);
  const stray = Number(region.dataset.stray ?? 14);
  const box = region.getBBox();
  const point = region.ownerSVGElement.createSVGPoint();
  const hairs = [];
  for (let tries = 0; hairs.length < count && tries < count * 20; tries += 1) {
    [point.x, point.y] = [box.x + random() * box.width, box.y + random() * box.height];
    if (!region.isPointInFill(point)) continue;
    const angle = direction(flow, point.x, point.y);
    const order = (point.x - box.x - box.width / 2) * Math.cos(angle) + (point.y - box.y - box.height / 2) * Math.sin(angle);
    hairs.push({
      x: point.x, y: point.y, order,
      angle: angle + (random() - 0.5) * 2 * stray * DEGREE,
      length: length * (0.6 + 0.7 * random()), width: width * (0.6 + 0.7 * random()),
      bend: (random() - 0.5) * 4 * bend, colour: colours[Math.floor(random() * colours.length)],
    });
  }
  hairs.sort((a, b) => b.order - a.order);
  const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
  if (region.dataset.opacity) group.setAttribute("opacity", region.dataset.opacity);
  for (const one of hairs) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", hair(one));
    path.setAttribute("fill", one.colour);
    group.append(path);
  }
  region.after(group);
}

document.querySelectorAll("[data-hair]").forEach((region, index) => grow(region, 7919 * (index + 1)));

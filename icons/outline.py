#!/usr/bin/env python3
"""Draws the icons of strokes.txt as filled outlines: Fyne recolours what is filled, not strokes.

Each line of strokes.txt is a name, then shapes: "M x y L x y ..." polylines (with C curves), or "O x y r" circles.
The pen is 2 wide and round, the sheet 24 by 24."""
import math
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def num(v):
    return ("%.2f" % v).rstrip("0").rstrip(".")


def points(words):
    """The corners of a polyline; curves become ten lines."""
    out, i = [], 0
    while i < len(words):
        if words[i] in "ML":
            out.append((float(words[i + 1]), float(words[i + 2])))
            i += 3
        elif words[i] == "C":
            p = [out[-1]] + [(float(words[i + k]), float(words[i + k + 1])) for k in (1, 3, 5)]
            for s in range(1, 11):
                t = s / 10
                w = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3)
                out.append(tuple(sum(a * q[d] for a, q in zip(w, p)) for d in (0, 1)))
            i += 7
        elif words[i] == "Z":
            out.append(out[0])
            i += 1
        else:
            sys.exit("cannot read " + " ".join(words))
    return out


def outline(shape):
    words = shape.split()
    if words[0] == "O":
        x, y, r = map(float, words[1:])
        ring = []
        for radius, sweep in ((r + 1, 1), (r - 1, 0)):  # the inner one the other way round: a hole
            ring.append("M%s %s A%s %s 0 1 %d %s %s A%s %s 0 1 %d %s %s Z" % (
                num(x - radius), num(y), num(radius), num(radius), sweep, num(x + radius), num(y),
                num(radius), num(radius), sweep, num(x - radius), num(y)))
        return ['<path d="%s"/>' % " ".join(ring)]
    corners, parts = points(words), []
    for (x, y), (u, v) in zip(corners, corners[1:]):
        n = math.hypot(u - x, v - y)
        dx, dy = (y - v) / n, (u - x) / n
        quad = [(x + dx, y + dy), (u + dx, v + dy), (u - dx, v - dy), (x - dx, y - dy)]
        parts.append('<path d="M%s Z"/>' % " L".join("%s %s" % (num(a), num(b)) for a, b in quad))
    for x, y in dict.fromkeys(corners):
        parts.append('<circle cx="%s" cy="%s" r="1"/>' % (num(x), num(y)))
    return parts


for line in open(os.path.join(HERE, "strokes.txt")):
    if not line.strip() or line.startswith("#"):
        continue
    name, shapes = line.split(None, 1)
    body = [part for shape in shapes.split(";") for part in outline(shape)]
    with open(os.path.join(HERE, name + ".svg"), "w") as f:
        f.write('<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">\n%s\n</svg>\n' % "\n".join(body))

"""Rectangles whose areas are sizes, as square as they can be.

Source: Bruls, Huizing, van Wijk: Squarified Treemaps (2000).
"""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    def inside(self, margin: float, top: float = 0.0) -> Box:
        """Return what is left within a margin, and below a strip at the top."""
        width, height = max(self.width - 2 * margin, 0.0), max(self.height - 2 * margin - top, 0.0)
        return Box(self.x + margin, self.y + margin + top, width, height)


def squarified(sizes: list[float], box: Box) -> list[Box]:
    """Return a rectangle for each size, which must come in falling order, that together fill the box."""
    boxes: list[Box] = []
    left, start = box, 0
    behind = [*accumulate(reversed(sizes))][::-1]
    while start < len(sizes):
        scale = left.width * left.height / behind[start] if behind[start] > 0 else 0.0
        side = min(left.width, left.height)
        end = start + 1
        while end < len(sizes) and _worst(sizes[start : end + 1], side, scale) <= _worst(sizes[start:end], side, scale):
            end += 1
        row = sizes[start:end]
        placed, left = _row(row, left, scale)
        boxes += placed
        start = end
    return boxes


def _worst(row: list[float], side: float, scale: float) -> float:
    """Return how far the least square rectangle of a row is from a square."""
    area, largest, smallest = sum(row) * scale, row[0] * scale, row[-1] * scale
    if not (area and side and smallest):
        return float("inf")
    return max(side * side * largest / (area * area), area * area / (side * side * smallest))


def _row(row: list[float], box: Box, scale: float) -> tuple[list[Box], Box]:
    area = sum(row) * scale
    if box.width >= box.height:
        depth = area / box.height if box.height else 0.0
        y, boxes = box.y, []
        for size in row:
            height = size * scale / depth if depth else 0.0
            boxes.append(Box(box.x, y, depth, height))
            y += height
        return boxes, Box(box.x + depth, box.y, max(box.width - depth, 0.0), box.height)
    depth = area / box.width if box.width else 0.0
    x, boxes = box.x, []
    for size in row:
        width = size * scale / depth if depth else 0.0
        boxes.append(Box(x, box.y, width, depth))
        x += width
    return boxes, Box(box.x, box.y + depth, box.width, max(box.height - depth, 0.0))

"""The rooms of the house, which room imports which, and the drawing of both.

`python tools/rooms.py` writes docs/rooms.svg. The guards in tests/house hold ROOMS against the code
and the drawing against ROOMS.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PACKAGES", "ROOMS", "Box", "boxes", "drawing", "floors", "shown_arrows"]

# Package -> its rooms, from the ground up. A room is a sub-package; `settings` is a module, and the
# client is one room.
PACKAGES = {
    "fauxlab_contract": (
        [
            "core",
            "openapi",
            "validation",
            "generation",
            "verdict",
            "diff",
            "audit",
            "guard",
            "forms",
            "check",
        ]
    ),
    "fauxlab_mock": [
        "behaviour",
        "clock",
        "settings",
        "engine",
        "webhooks",
        "runtime",
        "admin",
        "server",
        "inprocess",
        "client_check",
    ],
    "fauxlab_client": ["client"],
    "fauxlab": ["cli", "pytest_plugin"],
}
# Room -> the rooms that it imports. Every arrow of the house stands here, and all lead down: a
# room imports only rooms of earlier lines.
ROOMS: Mapping[str, str] = {
    # fauxlab_contract
    "core": "",
    "openapi": "core",
    "validation": "core openapi",
    "generation": "core openapi",
    "verdict": "core validation",
    "diff": "core openapi",
    "audit": "core openapi validation generation",
    "guard": "core openapi validation",
    "forms": "core",
    "check": "core openapi validation generation forms",
    # fauxlab_mock
    "behaviour": "core",
    "clock": "",
    "settings": "core behaviour clock",
    "engine": "core openapi validation generation behaviour settings",
    "webhooks": "core clock engine",
    "runtime": "core openapi verdict behaviour clock settings engine webhooks",
    "admin": "core behaviour settings engine runtime",
    "server": "core behaviour clock settings engine runtime admin",
    "inprocess": "core engine webhooks runtime server",
    "client_check": (
        "core openapi validation generation verdict forms"
        " behaviour clock settings engine webhooks runtime server inprocess"
    ),
    # fauxlab_client
    "client": "",
    # fauxlab
    "cli": (
        "core openapi validation verdict diff audit forms check behaviour settings runtime server"
        " client_check"
    ),
    "pytest_plugin": "core openapi verdict guard clock settings runtime server inprocess",
}
COLUMNS = {"fauxlab_contract": 0, "fauxlab_mock": 1, "fauxlab": 2, "fauxlab_client": 2}
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 104, 30, 16, 34, 24  # pixels
COLUMN_GAP = 90  # pixels
ASIDE = {"clock": 70}  # pixels to the right, so that an arrow over two floors is seen


@dataclass(frozen=True, slots=True)
class Box:
    """A room in the drawing: its name, package, floor, and upper left corner in pixels."""

    room: str
    package: str
    floor: int
    x: int
    y: int


def floors(rooms: Mapping[str, str] = ROOMS) -> dict[str, int]:
    """Room -> its floor: 1 for a room that imports nothing, else above the highest it imports."""
    found: dict[str, int] = {}
    for room, below in rooms.items():
        highest = max((found[name] for name in below.split()), default=0)
        found[room] = highest + 1
    return found


def shown_arrows(rooms: Mapping[str, str] = ROOMS) -> list[tuple[str, str]]:
    """Return the arrows that no chain of other arrows implies; the drawing leaves the rest out."""
    below = {room: set(names.split()) for room, names in rooms.items()}
    reach: dict[str, set[str]] = {}
    arrows = []
    for room, names in rooms.items():
        reached_further = set().union(*(reach[name] for name in below[room]))
        reach[room] = below[room] | reached_further
        arrows += [(room, name) for name in names.split() if name not in reached_further]
    return arrows


def boxes() -> list[Box]:
    """Place each room: a column for each package, a row for each floor, the ground floor lowest."""
    level = floors()
    top = max(level.values())
    rows: defaultdict[tuple[int, int], list[tuple[str, str]]] = defaultdict(list)
    for package, rooms in PACKAGES.items():
        for room in rooms:
            rows[COLUMNS[package], level[room]].append((package, room))
    wide = [1, 1, 1]  # boxes side by side in the widest row of each column
    for (column, _), row in rows.items():
        wide[column] = max(wide[column], len(row))
    step_x, step_y = WIDTH + GAP_X, HEIGHT + GAP_Y
    starts = [MARGIN]
    for count in wide[:-1]:
        starts.append(starts[-1] + count * step_x + COLUMN_GAP)
    placed = []
    for (column, floor), row in sorted(rows.items()):
        indent = (wide[column] - len(row)) * step_x // 2
        for i, (package, room) in enumerate(row):
            x = starts[column] + indent + i * step_x + ASIDE.get(room, 0)
            y = MARGIN + 24 + (top - floor) * step_y
            placed.append(Box(room, package, floor, x, y))
    return placed


def drawing() -> str:
    """Return the drawing as SVG, readable on a light and on a dark page."""
    placed = {box.room: box for box in boxes()}
    right = max(box.x for box in placed.values()) + WIDTH
    bottom = max(box.y for box in placed.values()) + HEIGHT
    width, height = right + MARGIN, bottom + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" role="img" aria-label="Rooms and their imports">',
        "<style>",
        "text{font:13px sans-serif;fill:#1f2328;text-anchor:middle}",
        "text.package{font-weight:bold}",
        "rect{fill:#f6f8fa;stroke:#59636e}",
        "path{fill:none;stroke:#59636e;opacity:.75}",
        "marker path{fill:#59636e;stroke:none;opacity:1}",
        "@media(prefers-color-scheme:dark){text{fill:#f0f6fc}rect{fill:#151b23;stroke:#9198a1}",
        "path{stroke:#9198a1}marker path{fill:#9198a1}}",
        "</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
        ' markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>',
        *(_arrow(placed[room], placed[name]) for room, name in shown_arrows()),
        *(_rectangle(box) for box in placed.values()),
        *_headings(placed),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _arrow(start: Box, end: Box) -> str:
    """Return a curve from the lower edge of one box to the upper edge of another."""
    x1, y1 = start.x + WIDTH // 2, start.y + HEIGHT
    x2, y2 = end.x + WIDTH // 2, end.y
    bend = (y2 - y1) // 2
    curve = f"M{x1} {y1}C{x1} {y1 + bend} {x2} {y2 - bend} {x2} {y2}"
    return f'<path d="{curve}" marker-end="url(#tip)"/>'


def _rectangle(box: Box) -> str:
    middle = f'x="{box.x + WIDTH // 2}" y="{box.y + 20}"'
    return (
        f'<rect x="{box.x}" y="{box.y}" width="{WIDTH}" height="{HEIGHT}" rx="5"/>'
        f"<text {middle}>{box.room}</text>"
    )


def _headings(placed: Mapping[str, Box]) -> Iterator[str]:
    """Return each package's name, above the highest of its boxes."""
    for package, rooms in PACKAGES.items():
        own = [placed[room] for room in rooms]
        left = min(box.x for box in own)
        right = max(box.x for box in own) + WIDTH
        x = (left + right) // 2
        y = min(box.y for box in own) - 10
        yield f'<text class="package" x="{x}" y="{y}">{package}</text>'


if __name__ == "__main__":
    target = Path(__file__).resolve().parents[1] / "docs" / "rooms.svg"
    target.write_text(drawing(), encoding="utf-8")

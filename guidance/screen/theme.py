"""Colours and sizes of a dark room.

All sizes are pixels of a 1920 x 1080 screen and scale with the window.
"""

from __future__ import annotations

from guidance.alarms import Priority
from guidance.screen.language import marked

GROUND = "#0b0e11"
PANEL = "#151a1f"
EDGE = "#2a323a"
TEXT = "#d6dce2"
QUIET = "#8b96a1"
# Words of a button that cannot be pressed now: greyer than QUIET, and on flat ground.
OFF = "#7d8893"
GOOD = "#4cc38a"
NOTE = "#5cc8e6"
WARN = "#f2b63c"
BAD = "#ff5a52"
PLANNED = "#9fb4c8"
CURRENT = "#ffffff"
CHOSEN = "#1d2f38"
CROSS = "#5f8f6a"

SEED_COLOURS = {"counted": WARN, "seen": GOOD, "missing": BAD, "extra": "#e07bff"}
# Seeds planned beyond the plan.
SUPPLEMENT = "#b6e05c"
SEED_WORDS = {
    "counted": marked("seed counted, not scanned yet"),
    "seen": marked("seed seen in the scan"),
    "missing": marked("seed counted, not seen"),
    "extra": marked("seed seen, never counted"),
}
LINK_COLOURS = {"up": GOOD, "connecting": WARN, "lost": BAD, "refused": BAD}

# Isodose lines in percent of the prescription: colour, dash, width. Each differs in more than
# its colour.
ISODOSES: dict[int, tuple[str, str, float]] = {
    50: ("#5c8dff", "dot", 1.5),
    100: ("#ffe14d", "solid", 2.6),
    150: ("#ff9b3d", "dash", 1.8),
    200: ("#ff5a52", "dashdot", 1.8),
}

# Symbol and colour of each priority; the prefix is the custom of monitors in theatre.
PRIORITY_LOOK: dict[Priority, tuple[str, str]] = {
    Priority.HIGH: ("▲ !!!", BAD),
    Priority.MEDIUM: ("▲ !!", WARN),
    Priority.LOW: ("● !", NOTE),
}

NOTICE = marked("Research software, not a medical device")
# The second has the Chinese characters.
FONTS = '"DejaVu Sans", "WenQuanYi Micro Hei", sans-serif'
DESIGN_SIZE = (1920, 1080)


def scale_of(width: int, height: int) -> float:
    """Return how much larger a window is than the design."""
    return max(0.5, min(width / DESIGN_SIZE[0], height / DESIGN_SIZE[1]))


def style_sheet(scale: float) -> str:
    """Return the window's style sheet at a scale."""

    def px(size: float) -> str:
        return f"{max(1, round(size * scale))}px"

    lit = "".join(
        f"""
    QFrame[role="lit-{priority.value}"] {{ background: {colour}; border: 1px solid {colour};
        border-radius: {px(6)}; }}"""
        for priority, (_, colour) in PRIORITY_LOOK.items()
    )
    button = f"padding: {px(4)} {px(14)}; border: {px(2)} solid"
    return f"""
    * {{ color: {TEXT}; font-family: {FONTS}; font-size: {px(20)}; }}
    QMainWindow, QWidget#ground {{ background: {GROUND}; }}
    QFrame[role="panel"] {{ background: {PANEL}; border: 1px solid {EDGE};
        border-radius: {px(6)}; }}{lit}
    QLabel {{ background: transparent; border: none; }}
    QLabel[role="title"] {{ color: {QUIET}; font-size: {px(17)}; font-weight: bold; }}
    QLabel[role="quiet"] {{ color: {QUIET}; font-size: {px(17)}; }}
    QLabel[role="fine"] {{ font-size: {px(17)}; }}
    QLabel[role="name"] {{ font-size: {px(27)}; font-weight: bold; }}
    QLabel[role="number"] {{ font-size: {px(54)}; font-weight: bold; }}
    QLabel[role="figure"] {{ font-size: {px(32)}; font-weight: bold; }}
    QLabel[role="action"] {{ font-size: {px(26)}; font-weight: bold; }}
    QLabel[role="alarm"] {{ font-size: {px(24)}; font-weight: bold; }}
    QLabel[role="banner"] {{ color: {GROUND}; background: {NOTE}; font-weight: bold;
        padding: {px(2)} {px(10)}; border-radius: {px(4)}; }}
    QLabel[role="step"] {{ color: {QUIET}; background: {PANEL}; padding: {px(4)};
        border-radius: {px(4)}; }}
    QLabel[role="step-now"] {{ color: {GROUND}; background: {NOTE}; font-weight: bold;
        padding: {px(4)}; border-radius: {px(4)}; }}
    QLabel[role="step-done"] {{ color: {GOOD}; background: {PANEL}; padding: {px(4)};
        border-radius: {px(4)}; }}
    QPushButton {{ background: #222b33; {button} #3a4651; border-radius: {px(5)}; }}
    QPushButton:hover {{ background: #2c3741; }}
    QPushButton[role="small"] {{ font-size: {px(17)}; padding: {px(1)} {px(8)}; }}
    QPushButton[role="small-primary"] {{ font-size: {px(17)}; padding: {px(1)} {px(8)};
        background: #1f4a5c; border-color: {NOTE}; }}
    QPushButton[role="primary"] {{ background: #1f4a5c; {button} {NOTE}; font-weight: bold; }}
    QPushButton[role="sure"] {{ background: {WARN}; color: {GROUND}; {button} {WARN};
        font-weight: bold; }}
    QPushButton[role="stop"] {{ background: #5c1f1f; {button} {BAD}; font-weight: bold; }}
    QPushButton:disabled {{ color: {OFF}; background: {PANEL}; border-color: {EDGE}; }}
    QSpinBox, QDoubleSpinBox {{ min-width: {px(90)}; }}
    QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox {{ background: #0f1317; padding: {px(3)};
        border: 1px solid #3a4651; }}
    QComboBox QAbstractItemView {{ background: #0f1317; }}
    QToolTip {{ background: {PANEL}; color: {TEXT}; border: 1px solid {NOTE};
        padding: {px(4)}; font-size: {px(17)}; }}
    QTableWidget {{ background: {PANEL}; border: none; gridline-color: {EDGE};
        font-size: {px(19)}; selection-background-color: #1f4a5c; }}
    QHeaderView::section {{ background: #1d242b; color: {QUIET}; border: none;
        padding: {px(2)}; font-size: {px(16)}; font-weight: normal; }}
    QTableCornerButton::section {{ background: #1d242b; border: none; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
    QScrollBar:vertical {{ background: {PANEL}; width: {px(12)}; }}
    QScrollBar::handle:vertical {{ background: #3a4651; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
    """

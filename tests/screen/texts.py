"""The texts of the screen and the sentences of the core, as they stand in the code."""

from __future__ import annotations

import ast
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Where the core speaks to the people in the room.
CORE_FILES = (
    "guidance/procedure",
    "guidance/ledger",
    "guidance/conductor/conductor.py",
    "guidance/conductor/desk.py",
    "guidance/conductor/modelling.py",
    "guidance/configuration.py",
    "guidance/configuration_file.py",
    "guidance/console/frontdesk.py",
    "guidance/console/session.py",
    "guidance/console/exporting.py",
    "guidance/screen/keys.py",
    "guidance/settings.py",
    "devices/dicom/peer.py",
    "dose/strength.py",
    "guidance/conductor/dosing.py",
    "guidance/conductor/picture.py",
)
# Calls whose sentences reach the screen, by the place of the sentence among the arguments.
SPEAKERS = {
    "with_alarm": 2,
    "asked": 2,
    "_held": 2,
    "raised": 3,
    "RefusedError": 0,
    "BrokenError": 0,
    "DeviceBroken": 0,
    "SeedError": 0,
}
# Here every sentence that is returned or kept for one is for the screen.
SAYING = ("steps.py", "asking.py", "acts.py", "modelling.py")
# Put together from parts, so that they stand nowhere whole.
HAND_MADE = (
    "TG-43 2D line source, {a}, water in water, {b}",
    "TG-43 line source, {a} seeds as point sources, {b}, water in water, {c}",
    "seeds as seen, else as counted",
    "seeds as planned",
    "{a} answered C-FIND with {b}: {c}",
    "{a} was stopped by {b}; {c}",
    "{a} broke off twice ({b}); {c}",
    "its process was ended by {a}",
    "its process ended with code {a}",
    "run it again",
    # What half a turn of a scan swaps, and about which axis.
    "head and feet, left and right",
    "head and feet, front and back",
    "front and back, left and right",
    "front to back",
    "left to right",
    "head to feet",
    # The reasons of advice.
    "The cord receives up to {a} Gy (cumulative EQD2 {b} Gy); the case's limit is {c} Gy.",
    "D0.1cc of the cord is {a} Gy; the case's limit is {b} Gy.",
    "The target is covered: {a}. No further seed is needed for it.",
    "With the {a} planned seeds still to come, {b}.",
    "With the planned seeds still to come, {a}",
    "D90 is {a} Gy of {b} Gy and V100 {c} %",
    "{a}; {b} cc around ({c}) mm, {d} mm from needle {e} are cold, down to {f} Gy",
    "{a}; {b} cc around ({c}) mm are cold, down to {d} Gy",
    "{a}. Every reachable seed would take the cord over {b} Gy.",
    "{a}. No place through the needles in place would mend it{b}: consider another needle there.",
    "{a}. {b} more seed through needle {c} would make it D90 {d} Gy and V100 {e} %{f}.",
    "{a}. {b} more seeds through needle {c} would make it D90 {d} Gy and V100 {e} %{f}.",
    "; no cord is drawn, so its dose is not known",
    "; the cord's largest dose goes from {a} to {b} Gy (limit {c} Gy, cumulative EQD2 {d} Gy)",
    # What is still missing from the planning system, in a list.
    "planning CT",
    "structure set",
    "plan",
    "model-based, research",
    "the model-based dose leads and cannot be had. {a}",
    "It is not computed here.",
    "There is no calibration curve for {a}; add one to ct.calibrations in the configuration, "
    "or set ct.uncalibrated to 'schneider'.",
)
Texts = dict[tuple[str, str], str]


def in_code() -> list[tuple[str, str]]:
    """Return (context, text) of everything that must be translated, in order, each once."""
    found: dict[tuple[str, str], None] = {}
    speaking = [
        p for room in ("screen", "console") for p in (ROOT / "guidance" / room).rglob("*.py")
    ]
    for path in sorted(speaking):
        for text in _screen_texts(ast.parse(path.read_text(encoding="utf-8"))):
            found[("screen", text)] = None
    for name in CORE_FILES:
        where = ROOT / name
        for path in sorted(where.rglob("*.py")) if where.is_dir() else [where]:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for text in (*_core_texts(tree), *(_said(tree) if path.name in SAYING else ())):
                found[("core", text)] = None
    found |= {("core", text): None for text in HAND_MADE}
    return list(found)


def _screen_texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            continue
        text = node.args[0]
        if node.func.id in {"tr", "marked"} and isinstance(text, ast.Constant):
            yield str(text.value)


def _core_texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            place = SPEAKERS.get(name)
            if place is not None and len(node.args) > place:
                yield from _sentences(node.args[place])
        if isinstance(node, ast.FunctionDef) and node.name == "_in_words":
            for inner in ast.walk(node):
                if isinstance(inner, ast.Dict):
                    for value in inner.values:
                        yield from _sentences(value)


def _said(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        # A key is for the program alone.
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "key":
            continue
        if isinstance(node, ast.Return | ast.Assign) and node.value is not None:
            yield from _sentences(node.value)
            # Answers stand side by side: A, B = "this", "that".
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
                for element in getattr(node.value, "elts", ()):
                    yield from _sentences(element)


def _sentences(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _sentences(node.body)
        yield from _sentences(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        parts, places = [], 0
        for value in node.values:
            if isinstance(value, ast.Constant):
                parts.append(str(value.value))
            else:
                places += 1
                parts.append("{" + "abcdefghij"[places - 1] + "}")
        if len("".join(parts)) > 3 * places:
            yield "".join(parts)


def read_ts(path: Path) -> Texts:
    """Return what a .ts file has."""
    found: Texts = {}
    for context in ET.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            source = message.findtext("source") or ""
            found[(context.findtext("name") or "", source)] = message.findtext("translation") or ""
    return found


def merged(wanted: list[tuple[str, str]], there: Texts) -> Texts:
    """Return the wanted texts with the translations that are there."""
    return {key: there.get(key, "") for key in wanted}


def write_ts(path: Path, code: str, texts: Texts) -> None:
    """Write a .ts file."""
    root = ET.Element("TS", version="2.1", language=code, sourcelanguage="en")
    for name in ("screen", "core"):
        context = ET.SubElement(root, "context")
        ET.SubElement(context, "name").text = name
        for (where, source), translation in texts.items():
            if where == name:
                message = ET.SubElement(context, "message")
                ET.SubElement(message, "source").text = source
                said = ET.SubElement(message, "translation")
                said.text = translation
                if not translation:
                    said.set("type", "unfinished")
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{body}\n', "utf-8")


def compile_qm(path: Path) -> None:
    """Compile a .ts file to the .qm beside it."""
    lrelease = shutil.which("lrelease") or "/usr/lib/qt5/bin/lrelease"
    subprocess.run([lrelease, "-silent", str(path)], check=True)

"""The hash chain that shows tampering: each record is bound to the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

GENESIS = "0" * 64


def canonical(payload: Mapping[str, Any]) -> str:
    """Return the one JSON text of a payload (sorted keys, no spaces, finite numbers only).

    Raises:
        ValueError: the payload holds NaN or infinity, which JSON cannot say.
    """
    return json.dumps(
        payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def link(previous: str, case_id: str, number: int, at: str, kind: str, payload: str) -> str:
    """Return the SHA-256 of a record and its predecessor's hash, in lower-case hex.

    The fields are joined as a JSON list, so that no two different records have one text.
    """
    text = json.dumps([previous, case_id, number, at, kind, payload], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()

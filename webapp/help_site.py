"""/help: the documentation as a site, as `make docs` builds it (scripts/help_site.py)."""

from __future__ import annotations

import hashlib
import os
import re
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, redirect, send_file
from werkzeug.security import safe_join
from werkzeug.wrappers import Response as AnyResponse

from flowforge.errors import NotFound
from webapp.content_policy import help_policy

blueprint = Blueprint("help", __name__, url_prefix="/help")

SITE = Path(__file__).resolve().parents[1] / "site"
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_DAY_SECONDS = 86_400


@blueprint.get("/", defaults={"path": ""})
@blueprint.get("/<path:path>")
def show(path: str) -> AnyResponse:
    """Show a page, or a file of one."""
    found = _find(path)
    if found.is_dir():
        return _page(found / "index.html") if not path or path.endswith("/") else redirect(f"/help/{path}/", 301)
    return _page(found) if found.suffix == ".html" else _file(found)


def _find(path: str) -> Path:
    joined = safe_join(str(SITE), path)
    if joined is None or not os.path.exists(joined):  # Path.exists() raises for a name that is too long
        raise NotFound("the help has no such page" if SITE.exists() else "the help has not been built: run `make docs`")
    return Path(joined)


def _page(file: Path) -> Response:
    if not file.is_file():
        raise NotFound("the help has no such page")
    response = send_file(file, mimetype="text/html", etag=True)
    response.headers["Content-Security-Policy"] = help_policy(_inline_scripts(file, file.stat().st_mtime_ns))
    return response


def _file(file: Path) -> Response:
    """A file that pages refer to. The names of scripts and styles hold a digest of what is in them."""
    return send_file(file, etag=True, max_age=_DAY_SECONDS if "assets" in file.parts else None)


@lru_cache(maxsize=256)
def _inline_scripts(page: Path, changed_at: int) -> Sequence[str]:
    """The scripts within a page, as a policy names them (CSP Level 3, section 2.3.1)."""
    scripts = _INLINE_SCRIPT.findall(page.read_text(encoding="utf-8"))
    return [f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts]

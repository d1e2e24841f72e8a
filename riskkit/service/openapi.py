"""The description of a service's routes, made from them and from the structs of the wire, as OpenAPI and as a page.

``python -m riskkit.service.openapi`` writes both into ``pages/``; a test says when they are behind.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import msgspec

from riskkit.service import wire
from riskkit.service.app import App
from riskkit.service.challenger_routes import add_challenger_routes
from riskkit.service.risk import add_risk
from riskkit.service.routes import SINGLE, add_routes
from riskkit.service.server_routes import add_server_routes
from riskkit.service.settings import Settings

PAGES = Path(__file__).with_name("pages")
BODIES: dict[str, Any] = {path: form for path, (_, form) in SINGLE.items()} | {
    "/events/*": dict[str, Any],
    "/orders/batch": list[dict[str, Any]],
    "/probe": wire.Order,
    "/risk/evaluate": wire.Evaluate,
    "/risk/validate": wire.Validate,
    "/limits": wire.Limits,
    "/challengers/*": wire.Promotion,
    "/halt": wire.Switch,
    "/limits/halt": wire.Switch,
    "/restart": wire.Switch,
    "/breaker/reset": wire.Switch,
}
ANSWERS: dict[str, Any] = dict.fromkeys([*SINGLE, "/orders/*", "/events/*"], wire.Decided) | {
    "/orders/batch": wire.BatchDecided,
    "/probe": wire.Probed,
    "/risk/evaluate": wire.Evaluated,
    "/risk/validate": wire.Validated,
    "/risk/state": wire.RiskNow,
    "/health": wire.Health,
    "/challengers": list[wire.Challenged],
    "/accounts/*": wire.Watched,
}
ERRORS = {
    "400": "no JSON", "401": "no key, or one that is not known", "403": "a key without the scope", "404": "nothing there",
    "409": "an order id that is known, with its first answer", "413": "too long", "422": "does not fit",
    "429": "too often", "503": "not ready, or as many wait as may",
}  # fmt: skip
PUBLIC_ERRORS = ("404", "503")
STYLE = "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}code,pre{background:#f3f3f3}pre{padding:.6em}"


def described() -> dict[str, Any]:
    """The document of all routes."""
    app = App(Settings(), {}, lambda: None)  # type: ignore[arg-type, return-value]
    for add in (add_routes, add_risk, add_challenger_routes, add_server_routes):
        add(app)
    known = [*{id(form): form for form in [*BODIES.values(), *ANSWERS.values(), wire.Refused]}.values()]
    shown, components = msgspec.json.schema_components(known, ref_template="#/components/schemas/{name}")
    schema = {repr(form): part for form, part in zip(known, shown, strict=True)}
    paths: dict[str, Any] = {}
    for path, methods in app.routes.items():
        for method, route in methods.items():
            errors = PUBLIC_ERRORS if route.scope is None else tuple(ERRORS)
            answer = schema.get(repr(ANSWERS.get(path)), {"type": "object"})
            found: dict[str, Any] = {
                "summary": " ".join((route.handler.__doc__ or BODIES[path].__doc__ or "").split()),
                "responses": {"200": {"description": "done", "content": {"application/json": {"schema": answer}}}},
            }
            refused = {"application/json": {"schema": schema[repr(wire.Refused)]}}
            found["responses"] |= {code: {"description": ERRORS[code], "content": refused} for code in errors}
            if method != "GET" and path in BODIES:
                body = {"application/json": {"schema": schema[repr(BODIES[path])]}}
                found["requestBody"] = {"required": True, "content": body}
            if route.scope is not None:
                found |= {"security": [{"key": []}], "description": f"Needs a key with the scope {route.scope!r}."}
            if path.endswith("*"):
                found["parameters"] = [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}]
            paths.setdefault(path.replace("*", "{name}"), {})[method.lower()] = found
    return {
        "openapi": "3.1.0",
        "info": {"title": "riskkit", "version": "1", "description": " ".join((wire.__doc__ or "").split())},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def page(document: dict[str, Any]) -> str:
    """The document as one page of HTML without a script."""
    lines = [f"<!doctype html><meta charset=utf-8><title>riskkit</title><style>{STYLE}</style><h1>riskkit</h1>"]
    lines.append(f"<p>{html.escape(document['info']['description'])}</p>")
    for path, methods in document["paths"].items():
        for method, found in methods.items():
            lines.append(f"<h2><code>{method.upper()} {html.escape(path)}</code></h2>")
            lines.append(f"<p>{html.escape(found['summary'])} {html.escape(found.get('description', ''))}</p>")
            for title, part in (("body", found.get("requestBody")), ("answer", found["responses"]["200"])):
                if part:
                    ((_, content),) = part["content"].items()
                    lines.append(f"<p>{title}: {_linked(content['schema'])}</p>")
    lines.append("<h1>Fields</h1>")
    for name, schema in document["components"]["schemas"].items():
        text = html.escape(json.dumps(schema.get("properties", schema), indent=1))
        lines.append(f'<h2 id="{name}">{name}</h2><p>{html.escape(schema.get("description", ""))}</p><pre>{text}</pre>')
    return "\n".join(lines) + "\n"


def _linked(schema: dict[str, Any]) -> str:
    name = schema.get("$ref", "").rpartition("/")[2]
    return f'<a href="#{name}">{name}</a>' if name else f"<code>{html.escape(json.dumps(schema))}</code>"


def write() -> None:
    """Write both pages."""
    PAGES.mkdir(exist_ok=True)
    document = described()
    (PAGES / "openapi.json").write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    (PAGES / "docs.html").write_text(page(document), encoding="utf-8")


if __name__ == "__main__":
    write()

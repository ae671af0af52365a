"""The description of this interface (OpenAPI 3.1), generated from the route table.

Invariant: nothing is described that is not in ``ROUTES``, and everything in it is described; bodies
come from the same types that decode them.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from server.http.routes import PATTERNS, ROUTES, Route
from server.http.shapes import Refusal
from server.http.wire import JSON, MSGPACK

PARAMETER: Final = re.compile(r"\{([a-z]+)\}")
BOTH_FORMS: Final = frozenset({"command", "event_list"})


def describe(version: str, routes: Iterable[Route] = ROUTES) -> bytes:
    """openapi.json."""
    table = tuple(routes)
    types = [each for route in table for each in (route.takes, route.gives) if _is_struct(each)]
    unique = list(dict.fromkeys([*types, Refusal]))
    schemas, components = msgspec.json.schema_components(
        unique, ref_template="#/components/schemas/{name}"
    )
    refs = dict(zip(unique, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, refs)
    return msgspec.json.format(
        msgspec.json.encode(
            {
                "openapi": "3.1.0",
                "info": {
                    "title": "kaibiao",
                    "version": version,
                    "description": "Binary values in JSON are lower-case hex; times are UTC ms.",
                    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
                },
                "paths": paths,
                "components": {
                    "schemas": components,
                    "securitySchemes": {
                        "session": {"type": "apiKey", "in": "cookie", "name": "__Host-sid"}
                    },
                },
            }
        )
    )


def _is_struct(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)


def _operation(route: Route, refs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": [
            *(
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "pattern": f"^(?:{PATTERNS[name]})$"},
                }
                for name in PARAMETER.findall(route.path)
            ),
            *(
                {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}
                for name in route.query
            ),
        ],
        "responses": {
            str(route.status): _answer(route, refs),
            "default": {"description": "Refused", "content": {JSON: {"schema": refs[Refusal]}}},
        },
    }
    if route.who is not None:
        operation["security"] = [{"session": []}]
        operation["x-roles"] = sorted(str(role) for role in route.who)
    if route.takes is not None:
        schema = refs.get(route.takes)
        content = (
            {form: {"schema": schema} for form in _forms(route)} if schema else {route.takes: {}}
        )
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _answer(route: Route, refs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    if route.status == 204 or route.method == "HEAD":
        return {"description": "Done"}
    if route.gives is None:
        return {"description": "Done", "content": {route.media: {}}}
    content = {form: {"schema": refs[route.gives]} for form in _forms(route)}
    return {"description": "Done", "content": content}


def _forms(route: Route) -> tuple[str, ...]:
    return (JSON, MSGPACK) if route.name in BOTH_FORMS else (JSON,)

"""The one table: every handler is in it, the application and the description are made from it."""

import pkgutil

from server.domain.refusals import REFUSALS
from server.http import use_cases
from server.http.front import FRONT
from server.http.refusals import HTTP_REFUSALS, refusal_of
from server.http.routes import PATTERNS, ROUTES
from tests.http.site import Site


def test_every_use_case_is_in_the_table_once():
    files = {module.name for module in pkgutil.iter_modules(use_cases.__path__)}
    named = [route.name for route in ROUTES]
    assert sorted(files) == sorted(named)


def test_every_method_and_path_is_there_once():
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


async def test_the_application_answers_the_table_and_nothing_else(open_a_site):
    site: Site = await open_a_site()
    served = {
        (route.method, route.resource.canonical)
        for route in site.app.router.routes()
        if route.resource is not None
    }
    table = {(route.method, route.path) for route in ROUTES}
    assert served - {(m, p) for m, p in served if m == "HEAD"} == {
        (m, p) for m, p in table if m != "HEAD"
    }
    heads = {path for method, path in served if method == "HEAD"}
    gets = {path for method, path in table if method == "GET"}
    lasting = {"/rooms/{room}/events", "/media/{room}/told"}
    assert heads == (gets - lasting) | {"/uploads/{uid}"}
    assert site.app[FRONT] is site.front


async def test_the_description_tells_the_whole_table(site: Site):
    async with site.visitor() as hall:
        told = await hall.get("/openapi.json")
    assert told["openapi"] == "3.1.0"
    described = {
        (method.upper(), path) for path, methods in told["paths"].items() for method in methods
    }
    assert described == {(route.method, route.path) for route in ROUTES}
    for methods in told["paths"].values():
        for operation in methods.values():
            assert operation["operationId"]
            assert operation["responses"]["default"]
    refs = str(told["paths"]).count("#/components/schemas/")
    assert refs > len(ROUTES)
    assert told["components"]["schemas"]["Refusal"]["properties"]["code"] == {"type": "string"}


async def test_the_description_says_who_may_come_in(site: Site):
    async with site.visitor() as hall:
        told = await hall.get("/openapi.json")
    for route in ROUTES:
        operation = told["paths"][route.path][route.method.lower()]
        assert ("security" in operation) == (route.who is not None)


def test_every_parameter_has_a_pattern():
    for route in ROUTES:
        for name in route.path.split("{")[1:]:
            assert name.partition("}")[0] in PATTERNS


def test_a_code_means_one_thing():
    assert not HTTP_REFUSALS.keys() & REFUSALS.keys()
    for code in HTTP_REFUSALS:
        noun, _, reason = code.partition(".")
        assert noun
        assert reason.replace("_", "").isalpha()
    assert refusal_of("header.magic").status == 422

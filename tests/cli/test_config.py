"""`kaibiao config`: what is shown is what is in force, and the example is the committed file."""

import json
import tomllib
from pathlib import Path

import msgspec
import pytest

from server.config import Config
from tests.cli.program import ROOT, Nursery, run

DEFAULTS = json.loads(msgspec.json.encode(Config()))


def test_the_committed_example_is_what_the_program_prints() -> None:
    committed = (ROOT / "kaibiao.example.toml").read_text(encoding="utf-8")
    assert run("config", "example").out == committed


def test_the_example_holds_every_key_with_its_default(program: Nursery) -> None:
    assert tomllib.loads(program.run("config", "example").out) == DEFAULTS


def test_the_example_is_a_configuration(tmp_path: Path, program: Nursery) -> None:
    path = tmp_path / "kaibiao.toml"
    path.write_text(program.run("config", "example").out, encoding="utf-8")
    assert json.loads(program.run("config", "show", "--config", path).out) == DEFAULTS


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "kaibiao.toml"
    path.write_text('[listen]\nhttp_port = 1\nws_port = 2\npublic_hosts = ["a.example"]\n')
    shown = json.loads(
        run("config", "show", "--config", path, env={"KAIBIAO_LISTEN__HTTP_PORT": "9000"}).out
    )
    assert shown["listen"]["http_port"] == 9000
    assert shown["listen"]["ws_port"] == 2
    assert shown["listen"]["public_hosts"] == ["a.example"]
    assert shown["site"] == DEFAULTS["site"]


def test_a_list_is_given_in_the_environment_as_the_example_prints_it() -> None:
    shown = json.loads(
        run("config", "show", env={"KAIBIAO_EDGES__URLS": '["ws://a.example/ws", "/b"]'}).out
    )
    assert shown["edges"]["urls"] == ["ws://a.example/ws", "/b"]
    done = run("config", "show", env={"KAIBIAO_EDGES__URLS": "[a"})
    assert done.refusal == "config.invalid"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[listen]\nhttp_port = 70000\n", "http_port"),
        ("[listen]\nhttp_prot = 1\n", "http_prot"),
        ("[lissen]\n", "lissen"),
        ('[journal]\nsynchronous = "MAYBE"\n', "synchronous"),
        ("[listen\n", "line 1"),
        ("listen = 3\n", "listen"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(
    text: str, named: str, tmp_path: Path, program: Nursery
) -> None:
    path = tmp_path / "kaibiao.toml"
    path.write_text(text)
    for verb in (["config", "show"], ["serve"], ["doctor"]):
        done = program.run(*verb, "--config", path)
        assert done.refusal == "config.invalid"
        assert named in done.err


def test_an_environment_that_is_wrong_is_named_too() -> None:
    done = run("config", "show", env={"KAIBIAO_LIMITS__CONNECTIONS": "many"})
    assert done.refusal == "config.invalid"
    assert "connections" in done.err


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, program: Nursery) -> None:
    done = program.run("config", "show", "--config", tmp_path / "none.toml")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "none.toml" in done.err

"""The verbs of `kaibiao` (各项命令), with their arguments.

Each verb lives in a module of its own and imports what it needs when it is called, so that
`kaibiao seal` on a bidder's machine starts without the server.
"""

import importlib.metadata
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import cyclopts

from server.cli.parties import meeting_app, person_app, tender_app
from server.cli.scoring import app as score_app

app = cyclopts.App(
    name="kaibiao",
    help="The live hall of a public-tender centre (开标大厅).",
    result_action="return_value",
    version=lambda: importlib.metadata.version("kaibiao"),
)
config_app = cyclopts.App(name="config", help="Show the configuration.")
app.command(config_app)
app.command(score_app)
app.command(person_app)
app.command(tender_app)
app.command(meeting_app)
ConfigPath = Annotated[Path | None, cyclopts.Parameter(name="--config", help="kaibiao.toml")]
Bidders = Annotated[int, cyclopts.Parameter(validator=cyclopts.validators.Number(gte=1, lte=1000))]
Port = Annotated[int, cyclopts.Parameter(validator=cyclopts.validators.Number(gte=1, lte=65533))]
Hex = Annotated[str, cyclopts.Parameter(help="hexadecimal")]


@app.command
def serve(config: ConfigPath = None) -> None:
    """Run one site until SIGTERM."""
    from server.cli.serving import run

    run(config)


@app.command
def edge(
    config: ConfigPath = None, *, port: Port | None = None, health_port: Port | None = None
) -> None:
    """Serve viewers beside a site until SIGTERM; needs the site's configuration.

    Parameters
    ----------
    port: of this edge, instead of edges.ws_port.
    health_port: of this edge, instead of edges.health_port.
    """
    from server.cli.serving import run_edge

    run_edge(config, port, health_port)


@app.command
def demo(
    *,
    auto: bool = False,
    bidders: Bidders = 12,
    out: Path = Path("demo"),
    json: bool = False,
    port: Port = 8420,
    fresh: bool = True,
) -> None:
    """A populated hall with simulated people; with --auto a whole opening, headless.

    Parameters
    ----------
    auto: play one opening through the real server and leave OUT/opening.zip.
    bidders: how many bidders take part.
    out: folder for the results of --auto.
    json: print the summary of --auto as JSON.
    port: of the pages; the next two are signaling and health.
    fresh: begin with an empty hall.
    """
    from server.cli.demo import run_auto, run_live

    if auto:
        run_auto(bidders, out, as_json=json)
    else:
        run_live(port, bidders, fresh=fresh)


@app.command
def keygen(manifest: Path, *, out: Path, passphrase_file: Path | None = None) -> None:
    """Make a bidder's key file (.kbk) for one tender.

    Parameters
    ----------
    manifest: the tender's manifest.json.
    out: the key file to be made; never one that exists.
    passphrase_file: else the passphrase is asked for, twice.
    """
    from server.cli.bidding import keygen as run

    run(manifest, out, passphrase_file)


@app.command
def seal(
    manifest: Path,
    *,
    key: Path,
    envelope: int,
    file: Path,
    out: Path,
    lot: int | None = None,
    other: list[Path] | None = None,
    signatures: Path | None = None,
    passphrase_file: Path | None = None,
) -> None:
    """Seal one envelope offline: OUT.kbh, OUT.kbc, the unlock card OUT.card.txt and .svg.

    Parameters
    ----------
    manifest: the tender's manifest.json.
    key: the bidder's key file.
    envelope: its number in the manifest; bodies first, then the form.
    file: the document; for a form a JSON file {bidder: {code, name}, fields}.
    out: path without ending.
    lot: needed only where the tender has several.
    other: for the form: the .kbh files of the bid's other envelopes.
    signatures: manifest.sig.json, to be checked before anything is sealed.
    passphrase_file: else the passphrase is asked for.
    """
    from server.cli.bidding import Order
    from server.cli.bidding import seal as run

    run(
        Order(
            manifest=manifest,
            key=key,
            envelope=envelope,
            file=file,
            out=out,
            lot=lot,
            others=tuple(other or ()),
            signatures=signatures,
            passphrase_file=passphrase_file,
        )
    )


@app.command(name="inspect")
def inspect_header(header: Path, *, json: bool = False) -> None:
    """Show every field of a sealed envelope's header."""
    from server.cli.envelopes import inspect_header as run

    run(header, as_json=json)


@app.command(name="open")
def open_envelope(
    header: Path,
    payload: Path,
    *,
    bidder_half: Hex,
    host_half: Hex,
    out: Path,
    raw: bool = False,
) -> None:
    """Open an envelope with both halves; every check of bytes that needs no manifest.

    Parameters
    ----------
    header: the .kbh file.
    payload: the .kbc file.
    bidder_half: s_B, in hexadecimal.
    host_half: s_H, in hexadecimal.
    out: the document; never a file that exists.
    raw: leave the padding where it is: exactly pt_len bytes.
    """
    from server.cli.envelopes import open_envelope as run

    run(header, payload, bidder_half, host_half, out, raw=raw)


@app.command(help_flags=[], version_flags=[])
def verify(
    *arguments: Annotated[str, cyclopts.Parameter(allow_leading_hyphen=True)],
) -> NoReturn:
    """Check an opening bundle offline; see `kaibiao verify --help`."""
    # The verifier has its own arguments and exit codes, the same as kaibiao-verify.pyz.
    from crypto.verifier.command import run

    sys.exit(run(arguments))


@app.command
def doctor(config: ConfigPath = None) -> None:
    """Check this machine: libraries, disk, ports, clock, built pages."""
    from server.cli.doctor import run

    sys.exit(run(config))


@config_app.command(name="example")
def config_example() -> None:
    """Print kaibiao.example.toml: every key with its default."""
    from server import config as configuration

    print(configuration.example(), end="")


@config_app.command(name="show")
def config_show(config: ConfigPath = None) -> None:
    """Print the configuration in force, as JSON."""
    import msgspec

    from server.cli.serving import configured

    print(msgspec.json.format(msgspec.json.encode(configured(config))).decode())

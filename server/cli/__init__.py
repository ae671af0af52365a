"""The command line (命令行): `kaibiao VERB`. Refusals exit 1 with one line, no traceback.

Each verb lives in a module of its own and imports what it needs when it is called, so that
`kaibiao seal` on a bidder's machine starts without the server.
"""

import sys
from pathlib import Path
from typing import Annotated

import cyclopts

from crypto.errors import Rejected
from server.domain.refusals import Refused

app = cyclopts.App(
    name="kaibiao",
    help="The live hall of a public-tender centre (开标大厅).",
    result_action="return_value",
)
config_app = cyclopts.App(name="config", help="Show the configuration.")
app.command(config_app)
ConfigPath = Annotated[Path | None, cyclopts.Parameter(name="--config", help="kaibiao.toml")]
Hex = Annotated[str, cyclopts.Parameter(help="hexadecimal")]


@app.command
def serve(config: ConfigPath = None) -> None:
    """Run one site until SIGTERM."""
    import uvloop

    from server import config as configuration
    from server.app import serve as run

    uvloop.run(run(configuration.load(config)))


@app.command
def demo(
    *,
    auto: bool = False,
    bidders: int = 12,
    out: Path = Path("demo"),
    json: bool = False,
    port: int = 8420,
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
    """Make a bidder's key file (.kbk) for one tender."""
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
    lot: int = 0,
    other: list[Path] | None = None,
    passphrase_file: Path | None = None,
) -> None:
    """Seal one envelope offline: OUT.kbh, OUT.kbc and the unlock card OUT.card.txt.

    Parameters
    ----------
    manifest: the tender's manifest.json.
    key: the bidder's key file.
    envelope: its number in the manifest; bodies first, then the form.
    file: the document; for a form a JSON file {bidder: {code, name}, fields}.
    out: path without ending.
    lot: 0 for an undivided tender.
    other: for the form: the .kbh files of the bid's other envelopes.
    passphrase_file: else the passphrase is asked for.
    """
    from server.cli.bidding import seal as run

    run(manifest, key, envelope, file, out, lot, other or [], passphrase_file)


@app.command(name="inspect")
def inspect_header(header: Path, *, json: bool = False) -> None:
    """Show every field of a sealed envelope's header."""
    from server.cli.bytes import inspect_header as run

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
    """Open an envelope with both halves; every check of bytes that needs no manifest."""
    from server.cli.bytes import open_envelope as run

    run(header, payload, bidder_half, host_half, out, raw=raw)


@app.command
def doctor(config: ConfigPath = None) -> None:
    """Check this machine: libraries, disk, ports, browser."""
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

    from server import config as configuration

    shown = msgspec.json.format(msgspec.json.encode(configuration.load(config)))
    print(shown.decode())


def main() -> None:
    """Entry point of the `kaibiao` program."""
    if sys.argv[1:2] == ["verify"]:
        # The verifier has its own arguments and exit codes, the same as kaibiao-verify.pyz.
        from crypto.verifier.command import run

        sys.exit(run(sys.argv[2:]))
    try:
        app()
    except (Rejected, Refused) as refused:
        detail = f" ({refused.detail})" if refused.detail else ""
        print(f"kaibiao: {refused.code}{detail}", file=sys.stderr)
        sys.exit(1)
    except (OSError, ValueError) as error:
        print(f"kaibiao: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

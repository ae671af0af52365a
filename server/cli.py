"""The command line (命令行): `kaibiao VERB`. Refusals exit 1 with one line, no traceback."""

import sys
from pathlib import Path
from typing import Annotated

import cyclopts
import uvloop

from crypto.errors import Rejected
from server import config as configuration
from server.domain.refusals import Refused

app = cyclopts.App(name="kaibiao", help="The live hall of a public-tender centre (开标大厅).")
ConfigPath = Annotated[Path | None, cyclopts.Parameter(name="--config", help="kaibiao.toml")]


@app.command
def serve(config: ConfigPath = None) -> None:
    """Run one site until SIGTERM."""
    from server.app import serve as run

    uvloop.run(run(configuration.load(config)))


config_app = cyclopts.App(name="config", help="Show or check the configuration.")
app.command(config_app)


@config_app.command(name="example")
def config_example() -> None:
    """Print kaibiao.example.toml: every key with its default."""
    print(configuration.example(), end="")


@config_app.command(name="show")
def config_show(config: ConfigPath = None) -> None:
    """Print the configuration in force, as JSON."""
    import msgspec

    shown = msgspec.json.format(msgspec.json.encode(configuration.load(config)))
    print(shown.decode())


def main() -> None:
    """Entry point of the `kaibiao` program."""
    try:
        app()
    except (Rejected, Refused) as refused:
        print(f"kaibiao: {refused.code}", file=sys.stderr)
        sys.exit(1)
    except (OSError, ValueError) as error:
        print(f"kaibiao: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()

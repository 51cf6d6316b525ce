"""The AWS CLI, a command for each line of arguments: its own `main`, again and again, because to start it takes longer
than what it does. Prints exit code, output and errors of each."""

import contextlib
import io
import json
import sys

from awscli.clidriver import create_clidriver


def command(words):
    """What `aws` with these words comes to."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = create_clidriver().main(words)
        except SystemExit as end:
            code = end.code
    return [code, out.getvalue(), err.getvalue()]


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(command(json.loads(line))), flush=True)

"""Which client is shown to do what: tests say it of themselves, and the README's table is made of that.
`python tests/clients/matrix.py` prints the table."""

import importlib
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
CLIENTS = [
    "boto3", "AWS CLI", "AWS SDK v3", "Amplify 6", "identity-js", "pycognito",
]
shown = {}


def shows(client, *flows):
    """Declares what a test shows of a client."""
    assert client in CLIENTS, client

    def mark(test):
        for flow in flows:
            shown.setdefault(flow, set()).add(client)
        return test

    return mark


def table():
    """The table, in the README's form: a line for each flow that any client is shown to do."""
    for path in sorted(HERE.glob("test_cognito_*.py")):
        importlib.import_module(path.stem)
    rows = [["", *CLIENTS], ["---"] * (len(CLIENTS) + 1)]
    rows += [[flow, *("yes" if client in clients else "" for client in CLIENTS)] for flow, clients in sorted(shown.items())]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    sys.modules["matrix"] = sys.modules["__main__"]
    print(table(), end="")

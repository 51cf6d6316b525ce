"""What benches/run measures under load: each scenario, one answer of it looked at, and its line of figures."""

import base64
import dataclasses
import functools
import json
import statistics
import tempfile

from parts import CHEAP, ask

PASSWORD = "correct horse battery"
TOKENS = {"id_token", "access_token", "expires_in"}
SLICE = 200


@dataclasses.dataclass
class Scenario:
    name: str
    asks: str  # a path of /v1, `rotating`, `srp`, an operation of the Cognito API, `jwks`, or `hello`
    kind: str = "RS256"  # of the pool; see seed.rs
    store: str = "sqlite"
    connections: int = 8
    users: int = 1000
    sessions: int = 1000
    tokens: int = 2  # signed for one request
    environment: dict = dataclasses.field(default_factory=dict)

    @property
    def algorithm(self):
        return self.kind.split("+")[0]


ALL = [
    Scenario("refresh RS256 Redis", "token-refresh", store="redis"),
    Scenario("refresh ES256 Redis", "token-refresh", "ES256", store="redis"),
    Scenario("refresh EdDSA Redis", "token-refresh", "EdDSA", store="redis"),
    Scenario("refresh EdDSA unlogged", "token-refresh", "EdDSA", "redis", environment={"COGNATE__LOG__LEVEL": "warn"}),
    Scenario("rotate RS256 Redis", "rotating", "RS256+rotation", "redis", sessions=4000),
    Scenario("refresh RS256 SQLite", "token-refresh", connections=64),
    Scenario("refresh EdDSA SQLite", "token-refresh", "EdDSA", connections=64),
    Scenario("rotate RS256 SQLite", "rotating", "RS256+rotation", connections=64, sessions=4000),
    Scenario("rotate EdDSA SQLite", "rotating", "EdDSA+rotation", connections=64, sessions=4000),
    Scenario("login RS256 Redis", "login", store="redis", sessions=0),
    Scenario("revoke Redis", "token-revoke", "EdDSA", "redis", 64, sessions=20_000, tokens=0),
    Scenario("Cognito: SRP Redis", "srp", "RS256+srp", "redis", users=200, sessions=200),
    Scenario("Cognito: refresh Redis", "GetTokensFromRefreshToken", store="redis"),
    Scenario("Cognito: GetUser Redis", "GetUser", store="redis", users=200, sessions=200, tokens=0),
    Scenario("JWKS", "jwks", users=1, sessions=1, tokens=0),
    Scenario("JWKS unlogged", "jwks", users=1, sessions=1, tokens=0, environment={"COGNATE__LOG__LEVEL": "warn"}),
]


def verify(scenario, url, path, line):
    """One answer, looked at."""
    name, token = (line + " ").split(" ")[:2]
    refresh = {"username": name, "refresh_token": token}
    if scenario.asks == "jwks":
        status, body = ask(url + path)
        assert status == 200 and {"kty", "kid", "alg", "use"} <= json.loads(body)["keys"][0].keys(), body
    elif scenario.asks == "login":
        status, body = ask(f"{url}/v1/login", {"username": name, "password": PASSWORD})
        assert status == 200 and json.loads(body).keys() == TOKENS | {"refresh_token"}, body
    elif scenario.asks == "token-revoke":
        assert ask(f"{url}/v1/token-revoke", {"refresh_token": token}) == (204, "")
        assert ask(f"{url}/v1/token-refresh", refresh)[0] == 401
    else:
        status, body = ask(f"{url}/v1/token-refresh", refresh)
        tokens = json.loads(body)
        assert status == 200 and tokens.keys() >= TOKENS, body
        assert ("refresh_token" in tokens) == (scenario.asks == "rotating"), body
        header = json.loads(base64.urlsafe_b64decode(tokens["access_token"].split(".")[0] + "=="))
        assert header["alg"] == scenario.algorithm, header


def pool_and_client(url):
    """Their ids, which are in tokens."""
    _, body = ask(f"{url}/v1/login", {"username": "user-0", "password": PASSWORD})
    claims = json.loads(base64.urlsafe_b64decode(json.loads(body)["access_token"].split(".")[1] + "==="))
    return claims["iss"].rsplit("/", 1)[1], claims["client_id"]


def for_cognito(scenario, url, file):
    """What the sessions of a file are to the Cognito API, as another file; one answer of it is looked at."""
    _, client = pool_and_client(url)
    lines = [line.split(" ") for line in file.read_text().splitlines()]
    if scenario.asks == "GetUser":
        refresh = lambda name, token: ask(f"{url}/v1/token-refresh", {"username": name, "refresh_token": token})[1]  # noqa: E731
        lines = [[json.loads(refresh(name, token))["access_token"]] for name, token in lines]
        status, body = ask(url, {"AccessToken": lines[0][0]}, "GetUser")
        assert status == 200 and json.loads(body)["UserAttributes"], body
    else:
        lines = [[client, token] for _, token in lines]
        status, body = ask(url, {"ClientId": client, "RefreshToken": lines[0][1]}, "GetTokensFromRefreshToken")
        assert status == 200 and json.loads(body)["AuthenticationResult"]["IdToken"], body
    made = file.with_suffix(".cognito")
    made.write_text("".join(" ".join(line) + "\n" for line in lines))
    return made


def slices(scenario, file):
    """What each run of wrk is given; a token that rotates is good for one run."""
    lines = file.read_text().splitlines()
    part = SLICE if scenario.asks == "rotating" else len(lines)
    at = 0
    while True:
        piece = file.with_suffix(f".{at}")
        piece.write_text("\n".join(lines[at : at + part]) + "\n")
        yield piece
        at = (at + part) % len(lines)


def measure(bench, server, asks, files, connections, seconds):
    if asks == "srp":
        ask = functools.partial(bench.srp, server.url, "/".join(pool_and_client(server.url)))
    else:
        ask = functools.partial(bench.wrk, server.url, asks)
    ask(next(files), connections, 1)
    used = server.processor_seconds()
    result = ask(next(files), connections, seconds)
    result["cpu"] = (server.processor_seconds() - used) / result["requests"] * 1e6
    result["rate"] = result["requests"] / result["seconds"]
    return result


def rounds(bench, options, names, work):
    """What `work` came to in each steady round, with the limits of that round."""
    kept = []
    for _ in range(3 * options.rounds):
        before, result, after = bench.limits(), work(), bench.limits()
        drift = max(abs(before[name] / after[name] - 1) for name in names)
        if drift <= 0.1 or options.any:
            kept.append((result, {name: (before[name] + after[name]) / 2 for name in before}))
        if len(kept) == options.rounds:
            break
    return kept


def median(kept):
    results = [result for result, _ in kept]
    figures = {key: statistics.median(result[key] for result in results) for key in results[0]}
    return figures, {key: statistics.median(limits[key] for _, limits in kept) for key in kept[0][1]}


def show(scenario, figures, limits, memory):
    rate, cpu, tokens, limit = figures["rate"], figures["cpu"], scenario.tokens, limits[scenario.algorithm]
    line = f"{scenario.name:<23}{rate:>8.0f}/s  p50 {figures['p50']:>6.2f}  p99 {figures['p99']:>6.2f} ms {cpu:>8.1f} us"
    if scenario.asks == "login":
        best = 1 / (1 / limits["Argon2id"] + 2 / limit)
        line += f"  {rate / best:.2f} of a hash and two signatures, {1e6 / cpu / best:.2f} by processor"
    elif scenario.asks == "srp":
        best = 1 / (3 / limits["SRP power"] + 2 / limit)
        line += f"  {rate / best:.2f} of three powers and two signatures, {1e6 / cpu / best:.2f} by processor"
    elif scenario.asks == "GetUser":
        line += f"  {rate / limits['RS256 verify']:.2f} of bare signature checks"
    elif tokens:
        line += f"  {tokens * rate / limit:.2f} of {limit:.0f} signatures/s, {tokens * 1e6 / cpu / limit:.2f} by processor"
        line += f"; {rate / limits['RS256']:.2f} x RS256"
    print(f"{line}; {memory}" + (f"; {figures['bad']:.0f} BAD" if figures["bad"] else ""), flush=True)


def run(bench, scenario, options):
    with tempfile.TemporaryDirectory(dir=bench.folder) as data:
        environment = {"COGNATE__DATA": data} | scenario.environment
        environment |= {} if scenario.asks == "login" else CHEAP
        redis, of_redis = bench.redis() if scenario.store == "redis" else (None, {})
        try:
            return run_on(bench, scenario, options, environment | of_redis)
        finally:
            if redis:
                redis.stop()


def run_on(bench, scenario, options, environment):
    file = bench.seed(scenario.kind, scenario.users, scenario.sessions, environment)
    with bench.serve(environment) as server:
        idle = server.resident_mib()
        asks = scenario.asks
        if asks == "jwks":
            asks = f"/{pool_and_client(server.url)[0]}/.well-known/jwks.json"
        if asks[0].isupper():
            file = for_cognito(scenario, server.url, file)
        elif asks != "srp":  # Its own load looks at each of its answers.
            verify(scenario, server.url, asks, file.read_text().splitlines()[-1])
        files = slices(scenario, file)
        work = lambda: measure(bench, server, asks, files, scenario.connections, options.seconds)  # noqa: E731
        kept = rounds(bench, options, [scenario.algorithm], work)
        memory = f"{idle:.0f} to {server.resident_mib():.0f} MiB"
    if not kept:
        print(f"{scenario.name:<23} no steady round: this machine is too busy", flush=True)
        return None
    figures, limits = median(kept)
    show(scenario, figures, limits, memory)
    return figures

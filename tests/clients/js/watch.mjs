// Verifies every token that comes in with jose, keeping each replica's key set for the whole max-age, and counts failures.
import { createInterface } from 'node:readline';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const [issuer, maxAge, ...urls] = process.argv.slice(2);
const pool = new URL(issuer).pathname;
const age = { cacheMaxAge: Number(maxAge), cooldownDuration: Number(maxAge) };
const sets = urls.map((url) => createRemoteJWKSet(new URL(`${url}${pool}/.well-known/jwks.json`), age));
const report = { verified: 0, failures: [] };
for await (const token of createInterface({ input: process.stdin })) {
  for (const keys of sets) {
    report.verified += 1;
    await jwtVerify(token, keys, { algorithms: ['RS256'], issuer }).catch((error) => report.failures.push(String(error)));
  }
}
console.log(JSON.stringify(report));

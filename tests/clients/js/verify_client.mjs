// Verifies a client's own access token with aws-jwt-verify, as a resource server would, and tries wrong expectations.
import { text } from 'node:stream/consumers';
import { JwtVerifier } from 'aws-jwt-verify';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';

const { token, issuer, keys_from: keysFrom, pool, client, scope } = JSON.parse(await text(process.stdin));
const jwksUri = `${keysFrom}/${pool}/.well-known/jwks.json`;
// The verifier's own fetcher knows https only.
const fetcher = { fetch: async (uri) => (await fetch(uri)).arrayBuffer() };
const isOf = (wantedClient, wantedScope) => ({ payload }) => {
  const scopes = payload.scope.split(' ');
  if (payload.token_use !== 'access' || payload.client_id !== wantedClient || !scopes.includes(wantedScope)) {
    throw new Error('not for this');
  }
};
const verify = (token, wantedClient, wantedScope, wantedIssuer = issuer) =>
  JwtVerifier.create(
    { issuer: wantedIssuer, audience: null, jwksUri, customJwtCheck: isOf(wantedClient, wantedScope) },
    { jwksCache: new SimpleJwksCache({ fetcher }) },
  ).verify(token);
const refused = (...args) => verify(...args).then(() => 'accepted', () => 'refused');
const [head, body, signature] = token.split('.');
const widened = Buffer.from(
  JSON.stringify({ ...JSON.parse(Buffer.from(body, 'base64url')), scope: `${scope} admin/all` }),
).toString('base64url');

console.log(JSON.stringify({
  sub: (await verify(token, client, scope)).sub,
  'another scope': await refused(token, client, 'admin/all'),
  'another client': await refused(token, 'another', scope),
  'another issuer': await refused(token, client, scope, `${issuer}x`),
  'changed claims': await refused([head, widened, signature].join('.'), client, 'admin/all'),
}));

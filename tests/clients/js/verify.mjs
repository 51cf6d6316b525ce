// Verifies an access and an id token with one library, and tries to have wrong ones accepted.
import { text } from 'node:stream/consumers';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { JwtVerifier } from 'aws-jwt-verify';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';

const library = process.argv[2];
const given = JSON.parse(await text(process.stdin));
const { iss: issuer, client_id: client } = decodeJwt(given.access_token);
const jwksUri = `${given.keys_from}${new URL(issuer).pathname}/.well-known/jwks.json`;

// The verifier's own fetcher knows https only.
const overHttp = { fetcher: { fetch: async (uri) => (await fetch(uri)).arrayBuffer() } };
const jwksCache = () => new SimpleJwksCache(jwksUri.startsWith('http:') ? overHttp : {});
const keys = createRemoteJWKSet(new URL(jwksUri));
const libraries = {
  jose: async (token, expected) => (await jwtVerify(token, keys, { algorithms: [given.algorithm ?? 'RS256'], ...expected })).payload,
  'aws-jwt-verify': (token, { issuer, audience }) =>
    JwtVerifier.create({ issuer, audience: audience ?? null, jwksUri }, { jwksCache: jwksCache() }).verify(token),
};
const verify = libraries[library];
const refused = (token, expected) => verify(token, expected).then(() => 'accepted', () => 'refused');
const [head, body, signature] = given.access_token.split('.');
const promoted = Buffer.from(JSON.stringify({ ...decodeJwt(given.access_token), username: 'admin' })).toString('base64url');
const flipped = (signature[9] === 'A' ? 'B' : 'A');

console.log(JSON.stringify({
  access: (await verify(given.access_token, { issuer })).username,
  id: (await verify(given.id_token, { issuer, audience: client }))['cognito:username'],
  'changed signature': await refused([head, body, signature.slice(0, 9) + flipped + signature.slice(10)].join('.'), { issuer }),
  'changed claims': await refused([head, promoted, signature].join('.'), { issuer }),
  'another issuer': await refused(given.access_token, { issuer: `${issuer}x` }),
  'another audience': await refused(given.id_token, { issuer, audience: 'another-client' }),
}));

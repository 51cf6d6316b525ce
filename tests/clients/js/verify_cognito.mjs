// aws-jwt-verify on Cognito's tokens: its verifier for Cognito where tokens name Amazon's issuer, and its generic one
// where they name ours. Answers what it said of each token.
import { text } from 'node:stream/consumers';
import { CognitoJwtVerifier, JwtVerifier } from 'aws-jwt-verify';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';

const { style, endpoint, issuer, pool, client, access, id, foreign } = JSON.parse(await text(process.stdin));

// Keys come from our host, whatever the issuer is; the library's own fetcher knows https only.
const fetcher = { fetch: async (uri) => (await fetch(uri.replace(/^https?:\/\/[^/]+/, endpoint))).arrayBuffer() };
const jwksCache = () => new SimpleJwksCache({ fetcher });
const ours = (tokenUse, clientId) => ({ payload }) => {
  if (payload.token_use !== tokenUse) throw new Error(`token_use is ${payload.token_use}`);
  if ((payload.client_id ?? payload.aud) !== clientId) throw new Error('another client');
};
const verifiers = {
  aws: (tokenUse, clientId) => CognitoJwtVerifier.create({ userPoolId: pool, tokenUse, clientId }, { jwksCache: jwksCache() }),
  self: (tokenUse, clientId) =>
    JwtVerifier.create({ issuer, audience: null, customJwtCheck: ours(tokenUse, clientId) }, { jwksCache: jwksCache() }),
};
const said = (token, tokenUse, { clientId = client, ...rules } = {}) =>
  verifiers[style](tokenUse, clientId).verify(token, rules).then(
    (claims) => claims.username ?? claims['cognito:username'], (fault) => fault.constructor.name);

const [head, body, signature] = access.split('.');
const claims = JSON.parse(Buffer.from(body, 'base64url'));
const promoted = Buffer.from(JSON.stringify({ ...claims, username: 'admin' })).toString('base64url');
const unsigned = Buffer.from(JSON.stringify({ alg: 'none', kid: JSON.parse(Buffer.from(head, 'base64url')).kid })).toString('base64url');
const flipped = signature.slice(0, 9) + (signature[9] === 'A' ? 'B' : 'A') + signature.slice(10);
const seen = {
  access: await said(access, 'access'),
  id: await said(id, 'id'),
  'id for access': await said(id, 'access'),
  'access for id': await said(access, 'id'),
  'changed signature': await said([head, body, flipped].join('.'), 'access'),
  'changed claims': await said([head, promoted, signature].join('.'), 'access'),
  'no signature': await said([unsigned, body, ''].join('.'), 'access'),
  "another client's": await said(access, 'access', { clientId: 'x'.repeat(26) }),
  "another pool's": await said(foreign, 'access'),
};
// The library reads the machine's clock; it has a grace, and no clock of its own.
const now = Date.now;
Date.now = () => (claims.exp + 30) * 1000;
seen.expired = await said(access, 'access');
seen['expired within the grace'] = await said(access, 'access', { graceSeconds: 60 });
Date.now = now;
console.log(JSON.stringify(seen));

// AWS SDK for JavaScript v3: an administrator who signs, and a user who does not.
import { ask, client, cognito, refusal } from './asking.mjs';

const [endpoint, other, UserPoolId, ClientId, accessKeyId, secretAccessKey, Username, Password] = process.argv.slice(2);
const admin = client(endpoint, { accessKeyId, secretAccessKey });
const user = client(other);

const seen = {};
const made = await ask(admin, 'AdminCreateUser', { UserPoolId, Username, MessageAction: 'SUPPRESS', TemporaryPassword: Password });
seen.made = made.User.UserStatus;
seen['made at'] = made.User.UserCreateDate instanceof Date;
seen['made again'] = await refusal(admin, 'AdminCreateUser', { UserPoolId, Username, MessageAction: 'SUPPRESS' });
seen.nobody = await refusal(admin, 'AdminGetUser', { UserPoolId, Username: 'nobody' });
seen.filter = await refusal(admin, 'ListUsers', { UserPoolId, Filter: 'username' });
seen.invalid = await refusal(admin, 'ListUsers', { UserPoolId, Limit: 61 });
seen['wrong key'] = await refusal(client(endpoint, { accessKeyId, secretAccessKey: 'x'.repeat(40) }), 'ListUserPools', { MaxResults: 1 });
seen.listed = [];
for await (const page of cognito.paginateListUsers({ client: admin, pageSize: 1 }, { UserPoolId })) {
  seen.listed.push(...page.Users.map((found) => found.Username));
}

const flow = { ClientId, AuthFlow: 'USER_PASSWORD_AUTH' };
seen['wrong password'] = await refusal(user, 'InitiateAuth', { ...flow, AuthParameters: { USERNAME: Username, PASSWORD: 'not-it' } });
const asked = await ask(user, 'InitiateAuth', { ...flow, AuthParameters: { USERNAME: Username, PASSWORD: Password } });
seen.asked = asked.ChallengeName;
const answered = await ask(user, 'RespondToAuthChallenge', {
  ClientId, ChallengeName: asked.ChallengeName, Session: asked.Session,
  ChallengeResponses: { USERNAME: Username, NEW_PASSWORD: `${Password}-2` },
});
const { AccessToken, RefreshToken } = answered.AuthenticationResult;
const mine = await ask(user, 'GetUser', { AccessToken });
seen.mine = mine.Username;
const refreshed = await ask(user, 'GetTokensFromRefreshToken', { ClientId, RefreshToken });
seen.refreshed = refreshed.AuthenticationResult.AccessToken !== AccessToken;
const onBehalf = await ask(admin, 'AdminInitiateAuth', {
  UserPoolId, ClientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH', AuthParameters: { USERNAME: Username, PASSWORD: `${Password}-2` },
});
seen['on behalf'] = onBehalf.AuthenticationResult.TokenType;
seen['signed out'] = (await ask(user, 'GlobalSignOut', { AccessToken })).$metadata.httpStatusCode;
seen.afterwards = await refusal(user, 'GetUser', { AccessToken });
seen['refresh afterwards'] = await refusal(user, 'GetTokensFromRefreshToken', { ClientId, RefreshToken });
console.log(JSON.stringify(seen));

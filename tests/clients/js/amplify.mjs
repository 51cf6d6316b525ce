// AWS Amplify 6: by SRP and by password, a new password, refresh by GetTokensFromRefreshToken, sign-out with revocation.
import { Amplify } from 'aws-amplify';
import { confirmSignIn, fetchAuthSession, signIn, signOut } from 'aws-amplify/auth';
import { cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito';

const [userPoolEndpoint, userPoolId, userPoolClientId, name, newcomer, oldPassword, password] = process.argv.slice(2);
Amplify.configure({ Auth: { Cognito: { userPoolId, userPoolClientId, userPoolEndpoint } } });
// Configuring chooses a storage of its own.
const kept = new Map();
cognitoUserPoolsTokenProvider.setKeyValueStorage({
  setItem: async (key, value) => void kept.set(key, value),
  getItem: async (key) => kept.get(key) ?? null,
  removeItem: async (key) => void kept.delete(key),
  clear: async () => kept.clear(),
});
const words = (fault) => `${fault.name}: ${fault.message}`;

const seen = {};
seen.wrong = await signIn({ username: name, password: 'not the password' }).then(() => 'signed in', words);
seen['signed in'] = (await signIn({ username: name, password })).isSignedIn;
const before = (await fetchAuthSession()).tokens.accessToken.toString();
const after = (await fetchAuthSession({ forceRefresh: true })).tokens.accessToken.toString();
seen.refreshed = after !== before;
const refreshToken = [...kept].find(([key]) => key.endsWith('.refreshToken'))[1];
await signOut();
seen['signed out'] = (await fetchAuthSession()).tokens === undefined;
const answer = await fetch(userPoolEndpoint, {
  method: 'POST',
  headers: {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'AWSCognitoIdentityProviderService.GetTokensFromRefreshToken',
  },
  body: JSON.stringify({ ClientId: userPoolClientId, RefreshToken: refreshToken }),
});
seen['after sign-out'] = (await answer.json()).__type;
const asked = await signIn({ username: newcomer, password: oldPassword });
seen['new password'] = asked.nextStep.signInStep;
await confirmSignIn({ challengeResponse: password });
await signOut();
const options = { authFlowType: 'USER_PASSWORD_AUTH' };
seen['by password'] = (await signIn({ username: newcomer, password, options })).isSignedIn;
console.log(JSON.stringify(seen));

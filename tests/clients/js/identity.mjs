// amazon-cognito-identity-js: by SRP, a new password, refresh, sign-out with revocation.
import identity from 'amazon-cognito-identity-js';

const { AuthenticationDetails, CognitoUser, CognitoUserPool } = identity;
const [endpoint, UserPoolId, ClientId, name, newcomer, oldPassword, password] = process.argv.slice(2);
const pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint });
const words = (fault) => `${fault.code}: ${fault.message}`;

function signIn(Username, Password, newPassword) {
  const user = new CognitoUser({ Username, Pool: pool });
  const details = new AuthenticationDetails({ Username, Password });
  return new Promise((resolve, reject) => {
    const callbacks = {
      onSuccess: (session) => resolve({ user, session }),
      onFailure: reject,
      newPasswordRequired: () => user.completeNewPasswordChallenge(newPassword, {}, callbacks),
    };
    user.authenticateUser(details, callbacks);
  });
}

const refresh = (user, token) => new Promise((resolve, reject) => {
  user.refreshSession(token, (fault, session) => (fault ? reject(fault) : resolve(session)));
});

const seen = {};
seen.wrong = await signIn(name, 'not the password').then(() => 'signed in', words);
const { user, session } = await signIn(name, password);
seen['signed in'] = session.isValid();
const refreshed = await refresh(user, session.getRefreshToken());
seen.refreshed = refreshed.getAccessToken().getJwtToken() !== session.getAccessToken().getJwtToken();
await new Promise((resolve, reject) => user.signOut((fault) => (fault ? reject(fault) : resolve())));
seen['signed out'] = pool.getCurrentUser() === null;
seen['after sign-out'] = await refresh(user, session.getRefreshToken()).then(() => 'refreshed', (fault) => fault.code);
seen['new password'] = (await signIn(newcomer, oldPassword, password)).session.isValid();
console.log(JSON.stringify(seen));

// A page's application on amazon-cognito-identity-js, as its guide has it; only the endpoint is ours.
import { AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool } from 'amazon-cognito-identity-js';

const { endpoint, pool: UserPoolId, client: ClientId } = Object.fromEntries(new URL(location).searchParams);
const pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint });
const named = (Username) => new CognitoUser({ Username, Pool: pool });
const called = (start) => new Promise((resolve, reject) => start((fault, answer) => (fault ? reject(fault) : resolve(answer))));
const session = (user) => called((done) => user.getSession(done));

window.app = {
  register: async (name, email, password) => {
    const address = new CognitoUserAttribute({ Name: 'email', Value: email });
    const answer = await called((done) => pool.signUp(name, password, [address], null, done));
    return answer.userConfirmed ? 'DONE' : 'CONFIRM_SIGN_UP';
  },
  confirm: async (name, code) => (await called((done) => named(name).confirmRegistration(code, false, done))) === 'SUCCESS',
  signIn: (name, password) => new Promise((resolve) => {
    named(name).authenticateUser(new AuthenticationDetails({ Username: name, Password: password }), {
      onSuccess: (session) => resolve(session.isValid()),
      onFailure: (fault) => resolve(`${fault.code}: ${fault.message}`),
    });
  }),
  who: async () => {
    const user = pool.getCurrentUser();
    return user && (await session(user)).isValid() ? user.getUsername() : null;
  },
  refresh: async () => {
    const user = pool.getCurrentUser();
    const before = await session(user);
    const after = await called((done) => user.refreshSession(before.getRefreshToken(), done));
    return before.getAccessToken().getJwtToken() !== after.getAccessToken().getJwtToken();
  },
  signOut: async () => {
    const user = pool.getCurrentUser();
    await session(user);
    await called((done) => user.signOut(done));
    return true;
  },
};

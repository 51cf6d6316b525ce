// amazon-cognito-identity-js on a user's own account: attributes, a changed and a forgotten password, an authenticator
// application.
import identity from 'amazon-cognito-identity-js';
import { mailedCode } from './mails.mjs';
import { code } from './totp.mjs';

const { AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool } = identity;
const [endpoint, UserPoolId, ClientId, mails, Username, password] = process.argv.slice(2);
const Pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint });
const called = (start) => new Promise((resolve, reject) => start((fault, answer) => (fault ? reject(fault) : resolve(answer))));
const handled = (start) => new Promise((resolve, reject) => start({ onSuccess: resolve, onFailure: reject }));
const words = (fault) => `${fault.code ?? fault.name}: ${fault.message}`;
const attribute = (Name, Value) => new CognitoUserAttribute({ Name, Value });

function signIn(Password) {
  const user = new CognitoUser({ Username, Pool });
  return new Promise((resolve, reject) => {
    const callbacks = { onSuccess: () => resolve({ user }), onFailure: reject };
    callbacks.totpRequired = (asked) => resolve({ user, asked, answer: (totp) => new Promise((onSuccess, onFailure) => {
      user.sendMFACode(totp, { onSuccess, onFailure }, 'SOFTWARE_TOKEN_MFA');
    }) });
    user.authenticateUser(new AuthenticationDetails({ Username, Password }), callbacks);
  });
}

const seen = {};
await called((done) => Pool.signUp(Username, password, [attribute('email', `${Username}@example.test`)], null, done));
const newcomer = new CognitoUser({ Username, Pool });
const first = await mailedCode(mails, Username);
await called((done) => newcomer.confirmRegistration(first, false, done));
let { user } = await signIn(password);
await called((done) => user.updateAttributes([attribute('given_name', 'Änn')], done));
const attributes = Object.fromEntries((await called((done) => user.getUserAttributes(done))).map((one) => [one.Name, one.Value]));
seen.attributes = { email_verified: attributes.email_verified, given_name: attributes.given_name };
seen['wrong old password'] = await called((done) => user.changePassword('not-it', `${password}-2`, done)).catch(words);
await called((done) => user.changePassword(password, `${password}-2`, done));

// The other sessions have ended; this one goes on.
const secret = await new Promise((associateSecretCode, onFailure) => user.associateSoftwareToken({ associateSecretCode, onFailure }));
seen['wrong code'] = await handled((callbacks) => user.verifySoftwareToken('000000', 'phone', callbacks)).catch(words);
await handled((callbacks) => user.verifySoftwareToken(code(secret), 'phone', callbacks));
const preference = (Enabled) => called((done) => user.setUserMfaPreference(null, { Enabled, PreferredMfa: Enabled }, done));
await preference(true);
const again = await signIn(`${password}-2`);
seen.asked = again.asked;
seen['wrong answer'] = await again.answer('000000').catch(words);
seen.answered = (await again.answer(code(secret, 1))).isValid();
user = again.user;
await preference(false);

await new Promise((inputVerificationCode, onFailure) => newcomer.forgotPassword({ inputVerificationCode, onFailure }));
const second = await mailedCode(mails, Username, 2);
await handled((callbacks) => newcomer.confirmPassword(second, `${password}-3`, callbacks));
({ user } = await signIn(`${password}-3`));
await called((done) => user.deleteUser(done));
seen.deleted = await signIn(`${password}-3`).catch(words);
console.log(JSON.stringify(seen));

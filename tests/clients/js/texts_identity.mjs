// amazon-cognito-identity-js for a user who has a number and no address.
import identity from 'amazon-cognito-identity-js';
import { textedCode } from './texts.mjs';

const { AuthenticationDetails, CognitoUser, CognitoUserAttribute, CognitoUserPool } = identity;
const [endpoint, UserPoolId, ClientId, gateway, number, next, password] = process.argv.slice(2);
const Pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint });
const called = (start) => new Promise((resolve, reject) => start((fault, answer) => (fault ? reject(fault) : resolve(answer))));
const handled = (start) => new Promise((resolve, reject) => start({ onSuccess: resolve, onFailure: reject }));
const words = (fault) => `${fault.code ?? fault.name}: ${fault.message}`;
const attribute = (Name, Value) => new CognitoUserAttribute({ Name, Value });

async function signIn(Username, Password) {
  const user = new CognitoUser({ Username, Pool });
  await handled((callbacks) => user.authenticateUser(new AuthenticationDetails({ Username, Password }), callbacks));
  return user;
}

const seen = {};
const registered = await called((done) => Pool.signUp(number, password, [attribute('phone_number', number)], null, done));
seen.registered = registered.codeDeliveryDetails;
const newcomer = new CognitoUser({ Username: number, Pool });
const first = await textedCode(gateway, number);
seen['wrong code'] = await called((done) => newcomer.confirmRegistration(first === '000000' ? '000001' : '000000', false, done)).catch(words);
await called((done) => newcomer.confirmRegistration(first, false, done));
const user = await signIn(number, password);
await called((done) => user.updateAttributes([attribute('phone_number', next)], done));
const second = await textedCode(gateway, next);
await handled((callbacks) => user.verifyAttribute('phone_number', second, callbacks));
const all = Object.fromEntries((await called((done) => user.getUserAttributes(done))).map((one) => [one.Name, one.Value]));
seen.attributes = { phone_number: all.phone_number, phone_number_verified: all.phone_number_verified };
const forgetful = new CognitoUser({ Username: next, Pool });
seen.reset = await new Promise((inputVerificationCode, onFailure) => forgetful.forgotPassword({ inputVerificationCode, onFailure }));
const third = await textedCode(gateway, next, 2);
await handled((callbacks) => forgetful.confirmPassword(third, `${password}-2`, callbacks));
seen['with the new one'] = (await signIn(next, `${password}-2`)).getSignInUserSession().isValid();
console.log(JSON.stringify(seen));

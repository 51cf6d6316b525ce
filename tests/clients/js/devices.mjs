// amazon-cognito-identity-js: a device confirmed at sign-in, remembered, proven instead of a code, and forgotten.
import identity from 'amazon-cognito-identity-js';
import { code } from './totp.mjs';

const { AuthenticationDetails, CognitoUser, CognitoUserPool } = identity;
const [endpoint, UserPoolId, ClientId, Username, Password] = process.argv.slice(2);
const pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint });

const done = (call) => new Promise((resolve, reject) => {
  call({ onSuccess: resolve, onFailure: reject });
});
const answered = (call) => new Promise((resolve, reject) => {
  call((fault, answer) => (fault ? reject(fault) : resolve(answer)));
});

// Signs in; `asked` says whether a code was, and `prompt` whether the user has to say that the device is remembered.
function signIn(secret, step) {
  const user = new CognitoUser({ Username, Pool: pool });
  const seen = { user, asked: false, prompt: false };
  return new Promise((resolve, reject) => {
    const callbacks = {
      onSuccess: (session, prompt) => resolve({ ...seen, session, prompt: prompt === true }),
      onFailure: reject,
      totpRequired: () => {
        seen.asked = true;
        user.sendMFACode(code(secret, step), callbacks, 'SOFTWARE_TOKEN_MFA');
      },
    };
    user.authenticateUser(new AuthenticationDetails({ Username, Password }), callbacks);
  });
}

const keyOf = (session) => session.getAccessToken().payload.device_key ?? null;
const seen = {};

const first = await signIn();
seen['on a new device'] = { asked: first.asked, prompt: first.prompt };
const { secret } = await new Promise((resolve, reject) => {
  first.user.associateSoftwareToken({ associateSecretCode: (secret) => resolve({ secret }), onFailure: reject });
});
await done((callbacks) => first.user.verifySoftwareToken(code(secret), 'phone', callbacks));
await answered((callback) => first.user.setUserMfaPreference(null, { PreferredMfa: true, Enabled: true }, callback));
// The device is confirmed and not remembered: the code is asked, and the library goes on with the Session that it had.
const second = await signIn(secret, 1);
seen['not remembered'] = { asked: second.asked, bound: keyOf(second.session) === second.user.deviceKey };
seen['set remembered'] = await done((callbacks) => second.user.setDeviceStatusRemembered(callbacks));
const third = await signIn();
seen.remembered = { asked: third.asked, bound: keyOf(third.session) === second.user.deviceKey };

const token = third.session.getRefreshToken();
const refreshed = await answered((callback) => third.user.refreshSession(token, callback));
seen.refreshed = keyOf(refreshed) === second.user.deviceKey;
const { Device } = await done((callbacks) => third.user.getDevice(callbacks));
const attributes = Object.fromEntries(Device.DeviceAttributes.map(({ Name, Value }) => [Name, Value]));
seen.device = [Device.DeviceKey === second.user.deviceKey, attributes['dev:device_remembered_status']];
const listed = await done((callbacks) => third.user.listDevices(60, null, callbacks));
seen.listed = listed.Devices.length;

seen.forgotten = await done((callbacks) => third.user.forgetDevice(callbacks));
seen['after that'] = await answered((callback) => third.user.refreshSession(token, callback))
  .then(() => 'refreshed', (fault) => `${fault.code}: ${fault.message}`);
const last = new CognitoUser({ Username, Pool: pool });
seen['asked again'] = await new Promise((resolve, reject) => {
  last.authenticateUser(new AuthenticationDetails({ Username, Password }), {
    onSuccess: () => resolve(false), onFailure: reject, totpRequired: () => resolve(true),
  });
});
console.log(JSON.stringify(seen));

// amazon-cognito-identity-js: a device confirmed at sign-in, remembered, proven instead of a code, and forgotten.
import { createHmac } from 'node:crypto';
import identity from 'amazon-cognito-identity-js';

const { AuthenticationDetails, CognitoUser, CognitoUserPool } = identity;
const [endpoint, UserPoolId, ClientId, Username, Password] = process.argv.slice(2);
const pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint });
const start = Math.floor(Date.now() / 30000);

// The code of an authenticator application that was told `secret`, some steps from the one that the test began in.
function code(secret, steps) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(start + steps));
  const digest = createHmac('sha1', key).update(counter).digest();
  const word = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(word % 1000000).padStart(6, '0');
}

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
const { secret } = await new Promise((resolve, reject) => {
  first.user.associateSoftwareToken({ associateSecretCode: (secret) => resolve({ secret }), onFailure: reject });
});
await done((callbacks) => first.user.verifySoftwareToken(code(secret, -1), 'phone', callbacks));
await answered((callback) => first.user.setUserMfaPreference(null, { PreferredMfa: true, Enabled: true }, callback));
// Nothing is kept of the device so far: the sign-in below is one on a new device.
first.user.clearCachedDeviceKeyAndPassword();

const second = await signIn(secret, 0);
seen['on a new device'] = { asked: second.asked, prompt: second.prompt };
// The device is confirmed and not remembered: the code is asked, and the library goes on with the Session that it had.
const third = await signIn(secret, 1);
seen['not remembered'] = { asked: third.asked, bound: keyOf(third.session) === third.user.deviceKey };
seen['set remembered'] = await done((callbacks) => third.user.setDeviceStatusRemembered(callbacks));
const fourth = await signIn();
seen.remembered = { asked: fourth.asked, bound: keyOf(fourth.session) === third.user.deviceKey };

const token = fourth.session.getRefreshToken();
const refreshed = await answered((callback) => fourth.user.refreshSession(token, callback));
seen.refreshed = keyOf(refreshed) === third.user.deviceKey;
const { Device } = await done((callbacks) => fourth.user.getDevice(callbacks));
const attributes = Object.fromEntries(Device.DeviceAttributes.map(({ Name, Value }) => [Name, Value]));
seen.device = [Device.DeviceKey === third.user.deviceKey, attributes['dev:device_remembered_status']];
const listed = await done((callbacks) => fourth.user.listDevices(60, null, callbacks));
seen.listed = listed.Devices.length;

seen.forgotten = await done((callbacks) => fourth.user.forgetDevice(callbacks));
seen['after that'] = await answered((callback) => fourth.user.refreshSession(token, callback))
  .then(() => 'refreshed', (fault) => `${fault.code}: ${fault.message}`);
const last = new CognitoUser({ Username, Pool: pool });
seen['asked again'] = await new Promise((resolve, reject) => {
  last.authenticateUser(new AuthenticationDetails({ Username, Password }), {
    onSuccess: () => resolve(false), onFailure: reject, totpRequired: () => resolve(true),
  });
});
console.log(JSON.stringify(seen));

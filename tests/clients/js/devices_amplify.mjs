// AWS Amplify 6: rememberDevice, fetchDevices, forgetDevice, and a sign-in on a device that is remembered.
import { Amplify } from 'aws-amplify';
import {
  confirmSignIn, fetchAuthSession, fetchDevices, forgetDevice, rememberDevice, setUpTOTP, signIn, signOut,
  updateMFAPreference, verifyTOTPSetup,
} from 'aws-amplify/auth';
import { cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito';
import { code } from './totp.mjs';

const [userPoolEndpoint, userPoolId, userPoolClientId, username, password, authFlowType] = process.argv.slice(2);
Amplify.configure({ Auth: { Cognito: { userPoolId, userPoolClientId, userPoolEndpoint } } });
// The library names the device by it; older versions of Node have none.
globalThis.navigator ??= { userAgent: 'node' };
// Configuring chooses a storage of its own.
const kept = new Map();
cognitoUserPoolsTokenProvider.setKeyValueStorage({
  setItem: async (key, value) => void kept.set(key, value),
  getItem: async (key) => kept.get(key) ?? null,
  removeItem: async (key) => void kept.delete(key),
  clear: async () => kept.clear(),
});

const options = { authFlowType };
const step = async () => {
  const { isSignedIn, nextStep } = await signIn({ username, password, options });
  return isSignedIn ? 'signed in' : nextStep.signInStep;
};
const deviceKey = () => [...kept].find(([key]) => key.endsWith('.deviceKey'))?.[1] ?? null;
const claimed = async (how) => (await fetchAuthSession(how)).tokens.accessToken.payload.device_key ?? null;

const seen = {};
await step();
const { sharedSecret } = await setUpTOTP();
await verifyTOTPSetup({ code: code(sharedSecret) });
await updateMFAPreference({ totp: 'PREFERRED' });
await signOut();
kept.clear();

seen['on a new device'] = await step();
await confirmSignIn({ challengeResponse: code(sharedSecret, 1) });
await rememberDevice();
seen.devices = (await fetchDevices()).map(({ id }) => id === deviceKey());
await signOut();
seen.remembered = await step();
seen.bound = (await claimed()) === deviceKey();
seen.refreshed = (await claimed({ forceRefresh: true })) === deviceKey();
const before = new Map(kept);
await forgetDevice();
seen.forgotten = deviceKey();
seen['after that'] = (await fetchAuthSession({ forceRefresh: true })).tokens === undefined;
// A client that does not know yet drops its device and goes on as on a new one.
before.forEach((value, key) => kept.set(key, value));
kept.forEach((_, key) => ['.accessToken', '.refreshToken', '.idToken'].some((end) => key.endsWith(end)) && kept.delete(key));
seen['with what is forgotten'] = await step();
console.log(JSON.stringify(seen));

// AWS Amplify 6 on a user's own account: attributes, a changed and a forgotten password, an authenticator application.
import { Amplify } from 'aws-amplify';
import * as auth from 'aws-amplify/auth';
import { cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito';
import { mailedCode } from './mails.mjs';
import { code } from './totp.mjs';

const [userPoolEndpoint, userPoolId, userPoolClientId, mails, username, password] = process.argv.slice(2);
Amplify.configure({ Auth: { Cognito: { userPoolId, userPoolClientId, userPoolEndpoint } } });
const kept = new Map();
cognitoUserPoolsTokenProvider.setKeyValueStorage({
  setItem: async (key, value) => void kept.set(key, value),
  getItem: async (key) => kept.get(key) ?? null,
  removeItem: async (key) => void kept.delete(key),
  clear: async () => kept.clear(),
});
const words = (fault) => `${fault.name}: ${fault.message}`;
const email = `${username}@example.test`;

const seen = {};
await auth.signUp({ username, password, options: { userAttributes: { email } } });
await auth.confirmSignUp({ username, confirmationCode: await mailedCode(mails, username) });
await auth.signIn({ username, password });
await auth.updateUserAttributes({ userAttributes: { given_name: 'Änn' } });
const { email_verified, given_name } = await auth.fetchUserAttributes();
seen.attributes = { email_verified, given_name };
seen['wrong old password'] = await auth.updatePassword({ oldPassword: 'not-it', newPassword: `${password}-2` }).catch(words);
await auth.updatePassword({ oldPassword: password, newPassword: `${password}-2` });

// The other sessions have ended; this one goes on.
const setup = await auth.setUpTOTP();
seen['wrong code'] = await auth.verifyTOTPSetup({ code: '000000' }).catch(words);
await auth.verifyTOTPSetup({ code: code(setup.sharedSecret) });
await auth.updateMFAPreference({ totp: 'PREFERRED' });
seen.preference = await auth.fetchMFAPreference();
await auth.signOut();
const asked = await auth.signIn({ username, password: `${password}-2` });
seen.asked = asked.nextStep.signInStep;
seen['wrong answer'] = await auth.confirmSignIn({ challengeResponse: '000000' }).catch(words);
seen.answered = (await auth.confirmSignIn({ challengeResponse: code(setup.sharedSecret, 1) })).isSignedIn;
await auth.updateMFAPreference({ totp: 'DISABLED' });
await auth.signOut();

const reset = await auth.resetPassword({ username });
seen.reset = reset.nextStep.codeDeliveryDetails.destination;
const confirmationCode = await mailedCode(mails, username, 2);
await auth.confirmResetPassword({ username, confirmationCode, newPassword: `${password}-3` });
seen['with the new one'] = (await auth.signIn({ username, password: `${password}-3` })).isSignedIn;
await auth.deleteUser();
seen.deleted = await auth.signIn({ username, password: `${password}-3` }).catch(words);
console.log(JSON.stringify(seen));
